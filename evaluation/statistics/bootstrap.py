"""Confidence intervals of error rates by drawing speakers, not trials.

Trials of one speaker stand or fall together, so drawing trials would promise far too narrow
intervals. A draw takes as many speakers as there are, with replacement, as weights w: a target
trial of speaker s counts w[s] times, a non-target trial of s and t w[s] * w[t] times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.statistics.histogram import detection_cost
from evaluation.trials.draws import PRODUCT, speaker_weights, weighted_sum
from evaluation.trials.pairs import Batch, Scorer, Trials

# Codes of which fewer than one in so many occurs are sorted rather than counted in a table.
SPARSE = 4


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
        costs = detection_cost(*_with_ends(self.far_draws, self.frr_draws), prior=prior)
        return np.asarray(costs.min(axis=0))


def crossings(far: NDArray[np.float64], frr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rate where FAR falls below FRR, of each draw; both are (thresholds, draws)."""
    far, frr = _with_ends(far, frr)
    gap = frr - far
    draws = np.arange(gap.shape[1])
    k = np.argmax(~(gap < 0), axis=0)
    low, high = gap[k - 1, draws], gap[k, draws]
    share = -low / (high - low)
    return np.asarray(far[k - 1, draws] + share * (far[k, draws] - far[k - 1, draws]))


def _with_ends(
    far: NDArray[np.float64], frr: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates with those of accepting all trials before and of rejecting all behind.

    A draw may cross, or cost least, beyond the thresholds of the grid.
    """
    one, none = np.ones_like(far[:1]), np.zeros_like(far[:1])
    return np.concatenate((one, far, none)), np.concatenate((none, frr, one))


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
        """Return the errors of all ranks at ascending thresholds, in one pass over the scores.

        `watch` is shown each batch of this rank's.
        """
        bins, draws = len(thresholds), self._weights.shape[1]
        accepted, rejected = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
        accept_weight, reject_weight = np.zeros((bins, draws)), np.zeros((bins, draws))
        for batch in self._trials.batches(scorer):
            watch(batch)
            place = np.searchsorted(thresholds, batch.scores, side="right")
            if batch.target:
                # Scores at or above the last threshold are rejected nowhere.
                chosen = place < bins
                counts, total, place = rejected, reject_weight, place[chosen]
            else:
                chosen = place > 0
                counts, total, place = accepted, accept_weight, place[chosen] - 1
            counts += np.bincount(place, minlength=bins)
            left, right = (
                np.broadcast_to(speaker, batch.scores.shape)[chosen]
                for speaker in (batch.left, batch.right)
            )
            self._add_weights(total, place, left, None if batch.target else right)
        accepted, rejected, accept_weight, reject_weight = self._trials.sharing.summed(
            accepted, rejected, accept_weight, reject_weight
        )
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
        weight = weighted_sum(targets, self._weights)
        speakers, draws = self._weights.shape
        # In one order, whoever counted them: sums of float32 depend on it once they are large.
        ordered = sorted(nontargets.items())
        pairs = np.fromiter((pair for pair, _ in ordered), np.int64, len(ordered))
        counts = np.fromiter((count for _, count in ordered), np.float32, len(ordered))
        step = max(1, PRODUCT // draws)
        for start in range(0, len(pairs), step):
            some = slice(start, start + step)
            left, right = np.divmod(pairs[some], speakers)
            weight = weight + counts[some] @ self._weights_of(left, right)
        with np.errstate(invalid="ignore"):
            return np.asarray(weight / (self._target_weight + self._nontarget_weight))

    def _weights_of(
        self, left: NDArray[np.integer], right: NDArray[np.integer] | None
    ) -> NDArray[np.float32]:
        """Return the weights of pairs of speakers, or of speakers: (pairs, draws)."""
        weights: NDArray[np.float32] = self._weights[left].astype(np.float32)
        if right is not None:
            weights *= self._weights[right]
        return weights

    def _add_weights(
        self,
        total: NDArray[np.float64],
        place: NDArray[np.int64],
        left: NDArray[np.int32],
        right: NDArray[np.int32] | None,
    ) -> None:
        """Add the weight of each trial to `total` (bins, draws) at its place.

        Of trials of one speaker `right` is None.
        """
        if not len(place):
            return
        first, rights = int(left.min()), 1 if right is None else int(right.max()) + 1
        code = (left.astype(np.int64) - first) * rights
        if right is not None:
            code += right
        codes, column = _numbered(code)
        bins, draws = total.shape
        step = max(1, PRODUCT // draws)
        # Sums of whole numbers, each of one batch: in float64 they add up in any order.
        # Few large products, by torch: where the cores are busy, many small ones wait for each
        # other, and NumPy's threads spin meanwhile.
        for start, trials in _parts(column, len(codes), step):
            some = codes[start : start + step]
            cell = place[trials] * len(some) + column[trials] - start
            counts = np.bincount(cell, minlength=bins * len(some)).reshape(bins, -1)
            one, other = np.divmod(some, rights)
            weights = self._weights_of(first + one, None if right is None else other)
            total += (torch.from_numpy(counts).float() @ torch.from_numpy(weights)).numpy()


def _numbered(code: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes that occur, ascending, and for each one given its place among them."""
    if int(code.max()) < SPARSE * len(code):
        occurs = np.bincount(code) > 0
        return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[code]
    codes, column = np.unique(code, return_inverse=True)
    return codes, column


def _parts(
    column: NDArray[np.int64], columns: int, step: int
) -> Iterator[tuple[int, NDArray[np.int64] | slice]]:
    """Yield the first of each `step` columns, and where these are in `column`."""
    if columns <= step:
        yield 0, slice(None)
        return
    order = np.argsort(column, kind="stable")
    bounds = np.searchsorted(column[order], np.arange(0, columns + step, step))
    for place, (start, stop) in enumerate(pairwise(bounds)):
        yield place * step, order[start:stop]
