"""Where FAR and FRR are taken: at a cosine, at a FAR of float32, or where float32's rates meet."""

from dataclasses import dataclass

import numpy as np

from evaluation.command.errors import InputError
from evaluation.statistics.histogram import ScoreHistogram, float32_threshold
from evaluation.trials.pairs import Trials


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A threshold for float32 that all formats keep: `cosine`, or that of a `far`, or of the EER.

    At most one of the two is given; `far` is a share of 1.
    """

    cosine: float | None = None
    far: float | None = None

    def __post_init__(self) -> None:
        if self.cosine is not None and self.far is not None:
            raise InputError(
                f"the threshold must be given as a cosine or by a FAR; got {self.cosine} and "
                f"{self.far}"
            )
        if self.cosine is not None and not -1 < self.cosine <= 1:
            raise InputError(f"threshold must be above -1 and at most 1; got {self.cosine}")
        if self.far is not None and not 0 < self.far < 1:
            raise InputError(f"far must be above 0 and below 1; got {self.far}")

    def check(self, trials: Trials, *, source: str) -> None:
        """Raise InputError for a FAR that is less than one of the trials."""
        if self.far is not None and self.far * trials.nontargets < 1:
            raise InputError(
                f"{source}: a FAR of {self.far:g} is less than one of {trials.nontargets:,} "
                f"non-target trials; it must be at least {1 / trials.nontargets:.2g}"
            )

    def threshold(self, histogram: ScoreHistogram) -> np.float32:
        """Return the threshold, given float32's scores; that of a FAR is the lowest within it."""
        if self.cosine is not None:
            return float32_threshold(self.cosine)
        if self.far is not None:
            return np.float32(histogram.thresholds_at_far(np.array([self.far]))[0])
        return np.float32(histogram.equal_error().threshold)

    @property
    def words(self) -> str:
        """How the threshold was chosen, for readers."""
        if self.cosine is not None:
            return "the given threshold"
        if self.far is not None:
            return f"where the FAR of float32 is {100 * self.far:g}\N{NO-BREAK SPACE}%"
        return "where FAR and FRR of float32 meet"
