"""Confidence intervals of error rates by drawing speakers, not trials.

Trials of one speaker stand or fall together, so drawing trials would promise far too narrow
intervals. A draw takes as many speakers as there are, with replacement, as weights w: a target
trial of speaker s counts w[s] times, a non-target trial of s and t w[s] * w[t] times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.metrics import ScoreHistogram, detection_cost
from evaluation.trials import Batch, Scorer, Trials

CONFIDENCE = 0.95
# The grid of thresholds reaches this many times below and above the equal error rate; where most
# draws fall, neighbours are 3 % apart, so that interpolating between them is off by (3 %)^2 / 8.
REACH = 8
NEAR_REACH = 1.5
LEVELS = 24
# Around the point of least cost, which is flat, the grid reaches this many times as far.
COST_REACH = 3
COST_LEVELS = 8
# Weights of speaker pairs held at one time: 32 MiB of float32.
PRODUCT = 1 << 23


@dataclass(frozen=True, kw_only=True)
class GridErrors:
    """Errors at ascending `thresholds`, counted once and for each draw of speakers."""

    thresholds: NDArray[np.float32]
    false_accepts: NDArray[np.int64]
    false_rejects: NDArray[np.int64]
    far_draws: NDArray[np.float64]
    frr_draws: NDArray[np.float64]

    def at(self, threshold: np.float32) -> int:
        """Return the place of a threshold in the grid."""
        return int(np.searchsorted(self.thresholds, threshold))

    def equal_error_draws(self) -> NDArray[np.float64]:
        """Return the equal error rate of each draw, by linear interpolation between thresholds."""
        return crossings(self.far_draws, self.frr_draws)

    def minimum_cost_draws(self, prior: float) -> NDArray[np.float64]:
        """Return the minimum detection cost of each draw, over the thresholds of the grid."""
        costs = detection_cost(self.far_draws, self.frr_draws, prior=prior)
        return np.asarray(costs.min(axis=0))


def crossings(far: NDArray[np.float64], frr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rate where FAR falls below FRR, of each draw; both are (thresholds, draws)."""
    gap = frr - far
    draws = np.arange(gap.shape[1])
    # A draw that crosses outside the grid takes the grid's end.
    k = np.where((gap >= 0).any(axis=0), np.argmax(gap >= 0, axis=0), len(gap) - 1)
    before = np.maximum(k - 1, 0)
    low, high = gap[before, draws], gap[k, draws]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(high > low, np.clip(-low / (high - low), 0, 1), 1.0)
    return np.asarray(far[before, draws] + share * (far[k, draws] - far[before, draws]))


def speaker_weights(speakers: int, *, draws: int, seed: int) -> NDArray[np.float32]:
    """Return how often each speaker is drawn: (speakers, draws)."""
    even = np.full(speakers, 1 / speakers)
    chosen = np.random.default_rng(seed).multinomial(speakers, even, size=draws)
    return np.asarray(chosen.T.astype(np.float32))


class SpeakerBootstrap:
    """Draws of speakers, the same for every condition, so that differences are paired."""

    def __init__(self, trials: Trials, *, draws: int, seed: int) -> None:
        self._trials = trials
        self._weights = speaker_weights(trials.speakers, draws=draws, seed=seed)
        self._target_weight = trials.weighted_targets(self._weights)
        self._nontarget_weight = trials.weighted_nontargets(self._weights)

    def errors(
        self,
        scorer: Scorer,
        thresholds: NDArray[np.float32],
        *,
        watch: Callable[[Batch], None] = lambda _: None,
    ) -> GridErrors:
        """Return the errors at ascending thresholds, in one pass over the scores.

        `watch` is shown each batch of it.
        """
        bins, draws = len(thresholds), self._weights.shape[1]
        accepted, rejected = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
        accept_weight, reject_weight = np.zeros((bins, draws)), np.zeros((bins, draws))
        for batch in self._trials.batches(scorer):
            watch(batch)
            if batch.target:
                counts = _rejects_by_speaker(batch, thresholds)
                rejected += counts.sum(axis=0)
                reject_weight += counts.astype(np.float32).T @ self._weights[: len(counts)]
            else:
                accepted += self._add_accepts(batch, thresholds, accept_weight)
        with np.errstate(invalid="ignore"):
            return GridErrors(
                thresholds=thresholds,
                # Bin b counts scores between threshold b and the next: sum the bins above.
                false_accepts=np.cumsum(accepted[::-1])[::-1],
                false_rejects=np.cumsum(rejected),
                far_draws=np.cumsum(accept_weight[::-1], axis=0)[::-1] / self._nontarget_weight,
                frr_draws=np.cumsum(reject_weight, axis=0) / self._target_weight,
            )

    def share_draws(
        self, targets: NDArray[np.int64], nontargets: dict[int, int]
    ) -> NDArray[np.float64]:
        """Return for each draw the share of trials that some are.

        They are counted in `targets` (speakers,) by speaker, and in `nontargets` by pair of
        speakers, whose code is left * speakers + right.
        """
        weight = targets.astype(np.float64) @ self._weights
        speakers, draws = self._weights.shape
        pairs = np.fromiter(nontargets.keys(), np.int64, len(nontargets))
        counts = np.fromiter(nontargets.values(), np.float32, len(nontargets))
        step = max(1, PRODUCT // draws)
        for start in range(0, len(pairs), step):
            some = slice(start, start + step)
            left, right = np.divmod(pairs[some], speakers)
            weight = weight + counts[some] @ (self._weights[left] * self._weights[right])
        with np.errstate(invalid="ignore"):
            return np.asarray(weight / (self._target_weight + self._nontarget_weight))

    def _add_accepts(
        self, batch: Batch, thresholds: NDArray[np.float32], total: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the accepted trials by bin; their weights are added to `total`."""
        bins = len(thresholds)
        chosen = batch.scores >= thresholds[0]
        if not chosen.any():
            return np.zeros(bins, np.int64)
        left, right = (
            np.broadcast_to(speaker, batch.scores.shape)[chosen]
            for speaker in (batch.left, batch.right)
        )
        place = np.searchsorted(thresholds, batch.scores[chosen], side="right") - 1
        first, rights = int(left.min()), int(right.max()) + 1
        pair = (left - first) * rights + right
        # Only pairs of speakers that occur take part: in a list they are few of all.
        occurs = np.bincount(pair) > 0
        pairs, column = np.flatnonzero(occurs), np.cumsum(occurs) - 1
        cell = place * len(pairs) + column[pair]
        counts = np.bincount(cell, minlength=bins * len(pairs)).reshape(bins, -1)
        step = max(1, PRODUCT // total.shape[1])
        # Few large products, by torch: where the cores are busy, many small ones wait for each
        # other, and NumPy's threads spin meanwhile.
        for start in range(0, len(pairs), step):
            some = slice(start, start + step)
            weights = self._weights[first + pairs[some] // rights]
            weights *= self._weights[pairs[some] % rights]
            total += (torch.from_numpy(counts[:, some]).float() @ torch.from_numpy(weights)).numpy()
        return np.asarray(counts.sum(axis=1))


def _rejects_by_speaker(batch: Batch, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """Target trials by speaker, from 0 on, and by the lowest threshold that rejects them."""
    bins = len(thresholds)
    # Scores at or above the last threshold are rejected nowhere: they fall in a bin of their own.
    place = np.searchsorted(thresholds, batch.scores, side="right")
    cell = batch.left.astype(np.int64) * (bins + 1) + place
    speakers = int(batch.left.max(initial=0)) + 1
    counts = np.bincount(cell, minlength=speakers * (bins + 1)).reshape(speakers, bins + 1)
    return counts[:, :bins]


def threshold_grid(
    histogram: ScoreHistogram, *, include: np.float32, priors: Sequence[float] = ()
) -> NDArray[np.float32]:
    """Ascending thresholds around the equal error rate, and the one to include.

    They are evenly spaced in the logarithm of FAR, more densely near the equal error rate, and a
    few in that of FRR, so that each draw's own equal error rate falls between two that are near.
    The two edges between which the rate itself was found are among them, and so are, for each
    prior, that of the least detection cost and some around it.
    """
    equal = histogram.equal_error()
    # A rate of 0 still needs a grid: one error of all trials stands in.
    smallest = 1 / max(int(histogram.targets.sum()), int(histogram.nontargets.sum()))
    middle = max(equal.rate, smallest)
    wide = np.geomspace(middle / REACH, min(1.0, middle * REACH), LEVELS)
    near = np.geomspace(middle / NEAR_REACH, min(1.0, middle * NEAR_REACH), LEVELS)
    cheapest = [histogram.minimum_cost(prior) for prior in priors]
    far = [max(one.far, smallest) for one in cheapest]
    costs = [np.geomspace(f / COST_REACH, min(1.0, f * COST_REACH), COST_LEVELS) for f in far]
    grid = np.concatenate(
        (
            histogram.thresholds_at_far(np.concatenate((wide, near, *costs))),
            histogram.thresholds_at_frr(wide[::2]),
            histogram.crossing(),
            np.array([include, *(one.threshold for one in cheapest)], dtype=np.float32),
        )
    )
    # The first edge, -1, would count scores below -1 as rejected here and nowhere else.
    return np.unique(grid[grid > -1])


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
