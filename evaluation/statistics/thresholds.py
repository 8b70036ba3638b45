"""Thresholds at which errors are counted, so that every draw of speakers finds its own rates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics.histogram import ScoreHistogram

# The grid of thresholds reaches this many times below and above the equal error rate; where most
# draws fall, neighbours are 3 % apart, so that interpolating between them is off by (3 %)^2 / 8.
REACH = 8
NEAR_REACH = 1.5
LEVELS = 24
# Around each least cost it reaches so far in both rates; so few trials there are all thresholds.
COST_REACH = 4
COST_LEVELS = 32
FEW_TRIALS = 256


def threshold_grid(
    histogram: ScoreHistogram, *, include: np.float32, priors: Sequence[float] = ()
) -> NDArray[np.float32]:
    """Ascending thresholds around the equal error rate, and the one to include.

    They are evenly spaced in the logarithm of FAR, more densely near the equal error rate, and a
    few in that of FRR, so that each draw's own equal error rate falls between two that are near.
    The two edges between which the rate itself was found are among them, and so are, for each
    prior, that of the least detection cost and many around it: a draw costs least just below the
    score of a target, or just above that of a non-target.
    """
    equal = histogram.equal_error()
    # A rate of 0 still needs a grid: one error of all trials stands in.
    smallest = 1 / max(int(histogram.targets.sum()), int(histogram.nontargets.sum()))
    middle = max(equal.rate, smallest)
    wide = np.geomspace(middle / REACH, min(1.0, middle * REACH), LEVELS)
    near = np.geomspace(middle / NEAR_REACH, min(1.0, middle * NEAR_REACH), LEVELS)
    cheapest = [histogram.minimum_cost(prior) for prior in priors]

    def around(rate: float, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        rate, trials = max(rate, smallest), int(counts.sum())
        low, high = rate / COST_REACH, min(1.0, rate * COST_REACH)
        first, last = int(low * trials), int(high * trials)
        if last - first >= FEW_TRIALS:
            return np.geomspace(low, high, COST_LEVELS)
        # Between ranks, for a rate is rounded.
        return (np.arange(first, last + 1) + 0.5) / trials

    grid = np.concatenate(
        (
            histogram.thresholds_at_far(np.concatenate((wide, near))),
            histogram.thresholds_at_frr(wide[::2]),
            *(
                histogram.thresholds_at_far(around(one.far, histogram.nontargets))
                for one in cheapest
            ),
            *(
                histogram.thresholds_within_frr(around(one.frr, histogram.targets))
                for one in cheapest
            ),
            histogram.crossing(),
            np.array([include, *(one.threshold for one in cheapest)], dtype=np.float32),
        )
    )
    # The first edge would count scores below it as rejected here and nowhere else.
    return np.unique(grid[grid > -histogram.reach])
