"""What a caller says that bytes are, beside what their column says, or in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from minifloat.formats import FormatLike, as_format
from minifloat.frames import Frame
from minifloat.scaling import ESTIMATORS
from minifloat.vectors.row_facts import MOST_DIM, RowFacts


class Told(NamedTuple):
    """Each of what rows are that a caller says."""

    format: FormatLike | None = None
    dim: int | None = None
    frame: Frame | None = None
    estimator: str | None = None

    def agreeing(self, facts: RowFacts) -> RowFacts:
        """Return what a column says of its rows; ValueError where the caller says something else.

        The frame is then the caller's, which may have feedback: a column holds none.
        """
        format = None if self.format is None else as_format(self.format)
        told = self._replace(format=format)
        for name, said in told._asdict().items():
            known = getattr(facts, name)
            if said is not None and said != known:
                raise ValueError(f"the column says {name} {known}; got {said}")
        return facts if self.frame is None else replace(facts, frame=self.frame)

    def facts(self, width: int | None) -> RowFacts:
        """Return what rows are of which nothing else says it: with errors if they are a byte wider.

        width: bytes of a row, if there is one. Raises ValueError for what was not said, and for
        rows of another width.
        """
        missing = [name for name in ("format", "dim") if getattr(self, name) is None]
        if self.format is None or self.dim is None:
            raise ValueError(
                "the column does not say what its bytes are, as a column of type minifloat.vectors "
                f"does; say it: {', '.join(missing)} must be given, and frame where rows are in one"
            )
        if not isinstance(self.dim, int) or not 1 <= self.dim <= MOST_DIM:
            raise ValueError(f"dim must be in 1..{MOST_DIM}; got {self.dim!r}")
        if self.frame is not None and self.frame.dim != self.dim:
            raise ValueError(f"the frame must have dim {self.dim}; got {self.frame.dim}")
        estimator = self.estimator or ("norm" if self.frame is None else "unbiased")
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}; got {estimator!r}")
        facts = RowFacts(as_format(self.format), self.dim, estimator, self.frame, False)
        if width == facts.row_bytes + 1:
            return replace(facts, has_errors=True)
        if width not in (None, facts.row_bytes):
            raise ValueError(
                f"rows of {facts} have {facts.row_bytes} bytes, and with errors one more; the "
                f"column's have {width}"
            )
        return facts
