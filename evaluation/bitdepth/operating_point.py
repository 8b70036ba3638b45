"""Where FAR and FRR are taken: at a score, at a FAR of float32, or where float32's rates meet."""

from dataclasses import dataclass

import numpy as np

from evaluation.command.errors import InputError
from evaluation.statistics.histogram import ScoreHistogram, float32_threshold
from evaluation.trials.pairs import Trials


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A threshold for float32 that all formats keep: a `score`, or that of a `far`, or of the EER.

    At most one of the two is given; `far` is a share of 1. Scores are looked for up to `reach`.
    """

    score: float | None = None
    far: float | None = None
    reach: int = 1

    def __post_init__(self) -> None:
        if self.score is not None and self.far is not None:
            raise InputError(
                f"the threshold must be given as a score or by a FAR; got {self.score} and "
                f"{self.far}"
            )
        if self.score is not None and not -self.reach < self.score <= self.reach:
            raise InputError(
                f"threshold must be above -{self.reach} and at most {self.reach}; got {self.score}"
            )
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
        if self.score is not None:
            return float32_threshold(self.score)
        if self.far is not None:
            found = float(histogram.thresholds_at_far(np.array([self.far]))[0])
        else:
            found = histogram.equal_error().threshold
        # No cosine is larger, but normalised scores are where deviations are tiny.
        if histogram.reach > 1 and found >= histogram.reach:
            raise InputError(
                f"scores are counted up to {histogram.reach}, and the threshold "
                f"{self.words} is not below: the cohort's scores deviate too little"
            )
        return np.float32(found)

    @property
    def words(self) -> str:
        """How the threshold was chosen, for readers."""
        if self.score is not None:
            return "the given threshold"
        if self.far is not None:
            return f"where the FAR of float32 is {100 * self.far:g}\N{NO-BREAK SPACE}%"
        return "where FAR and FRR of float32 meet"
