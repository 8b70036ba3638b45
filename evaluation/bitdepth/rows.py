"""What is known of one condition of one model: numbers, with intervals where they are estimates."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.bitdepth.measurement import Number
from evaluation.bootstrap import interval

# Of sums and quotients of float64 that are shares of 1.
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A rate with its 95 % interval, and its difference from float32 with the same.

    Shares of 1, not percent. The draws of speakers are the same on both sides of a difference.
    """

    value: float
    low: float
    high: float
    change: float
    change_low: float
    change_high: float

    @property
    def of_float32(self) -> float:
        """The rate that the difference is from."""
        return self.value - self.change

    @property
    def is_left_out(self) -> bool:
        """Whether an interval, the rate's or the difference's, leaves out its own estimate.

        Percentiles of draws may: a warning that they tell little.
        """
        return not (
            _holds(self.low, self.value, self.high)
            and _holds(self.change_low, self.change, self.change_high)
        )


def _holds(low: float, value: float, high: float) -> bool:
    # What is no number is told as such; a difference is rounded otherwise than each of its draws.
    return not (value < low - ROUNDING or value > high + ROUNDING)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One condition of one model.

    FAR, FRR, the four counts and the decisions are taken at `threshold`; `eer_threshold` is where
    FAR and FRR meet, `eer_threshold_shift` its distance from float32's. `min_dcf` holds the
    minimum detection cost by the prior of a target. `same_decision` is the share of trials that
    are decided as in float32. top1, top5 and recall10 are as in `Found`, of `queries` recordings;
    the rest is as in `Converted`.
    """

    model: str
    format: str
    bits: int
    scale: str
    saturate: bool
    trials: str
    vectors: int
    dim: int
    speakers: int
    targets: int
    nontargets: int
    threshold: float
    tp: int
    tn: int
    fp: int
    fn: int
    far: Estimate
    frr: Estimate
    eer: Estimate
    eer_threshold: float
    eer_threshold_shift: float
    min_dcf: Mapping[float, Estimate]
    same_decision: Estimate
    flipped_targets: int
    flipped_nontargets: int
    queries: int
    top1: Estimate
    top5: Estimate
    recall10: Estimate
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_vector: int
    total_bytes: int


def estimate(number: Number, of_float32: Number) -> Estimate:
    """Return a number with its interval, and the paired difference from float32's."""
    low, high = interval(number.draws)
    change_low, change_high = interval(number.draws - of_float32.draws)
    return Estimate(
        value=number.value,
        low=low,
        high=high,
        change=number.value - of_float32.value,
        change_low=change_low,
        change_high=change_high,
    )
