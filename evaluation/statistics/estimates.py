"""Numbers with intervals over draws of speakers, and their differences from float32's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
# Of sums and quotients of float64 that are shares of 1.
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Number:
    """An estimate, and the same for each draw of speakers."""

    value: float
    draws: NDArray[np.float64]


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


def interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the central interval of the draws; draws without trials of both kinds are left out.

    Where fewer than half of the draws have both kinds, the interval is not a number.
    """
    defined = draws[np.isfinite(draws)]
    if 2 * len(defined) < len(draws):
        return float("nan"), float("nan")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)
