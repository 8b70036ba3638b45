"""The study of some speakers of a sample, from scores that were computed once for all.

A study of its own for each of thousands of subsets would take hours. What is left out is what the
recommendation does not look at; scores are placed in BINS bins, which moves rates by a pair or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.same_decision import FLIPPED_NONTARGETS, FLIPPED_TARGETS
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.embeddings.embeddings import Embeddings
from evaluation.page.metric import Value
from evaluation.statistics.bootstrap import crossings
from evaluation.statistics.estimates import Number, estimate
from evaluation.stored.conversion import convert
from evaluation.trials.draws import speaker_weights
from tests.evaluation.bitdepth.tasks import all_pairs

BINS = 1 << 16
# Ratios to the equal error rate at which the draws' own is looked for.
GRID = np.concatenate((np.geomspace(1 / 8, 8, 12), np.geomspace(1 / 1.5, 1.5, 12)))


@dataclass(frozen=True, kw_only=True)
class _Measured:
    far: Number
    frr: Number
    eer: Number
    accepted_targets: NDArray[np.bool_]
    accepted_nontargets: NDArray[np.bool_]


class SomeSpeakers:
    """A sample of which any speakers can be studied, each with as many recordings."""

    def __init__(self, embeddings: Embeddings, formats: Sequence[mf.Format]) -> None:
        self.all = bitdepth_study(all_pairs(embeddings), formats=formats, draws=100)
        self._each = len(embeddings) // len(embeddings.speaker_names)
        assert (np.bincount(embeddings.speaker) == self._each).all()
        every = slice(0, None)
        self._bins = []
        for result in self.all.results:
            scores = convert(embeddings, result.condition).scorer.block(every, every)
            place = np.floor((scores + 1) * (BINS / 2))
            self._bins.append(np.clip(place, 0, BINS - 1).astype(np.uint16))

    def study(self, speakers: NDArray[np.int64], *, draws: int, seed: int) -> BitdepthStudy:
        """Return the study of speakers, with the columns that the recommendation looks at."""
        count, each = len(speakers), self._each
        rows = (speakers[:, None] * each + np.arange(each)).ravel()
        left, right = np.triu_indices(count, 1)
        own = np.arange(count)
        first, second = np.triu_indices(each, 1)
        weights = speaker_weights(count, draws=draws, seed=seed).astype(np.float32)
        pair_weights = weights[left] * weights[right]
        results, reference, threshold = [], None, 0
        for result, bins in zip(self.all.results, self._bins, strict=True):
            blocks = bins[np.ix_(rows, rows)].reshape(count, each, count, each)
            nontargets = blocks.transpose(0, 2, 1, 3)[left, right].reshape(len(left), -1)
            targets = blocks[own, :, own, :][:, first, second]
            far, frr = _rates(nontargets, targets)
            k = int(np.argmax(frr >= far))
            before, after = far[k - 1] - frr[k - 1], frr[k] - far[k]
            equal = far[k - 1] + (far[k] - far[k - 1]) * before / (before + after)
            if reference is None:
                threshold = k - 1 if before < after else k
            wanted = np.minimum(1, max(equal, 1 / targets.size) * GRID)
            found = np.concatenate((np.searchsorted(-far, -wanted), np.searchsorted(frr, wanted)))
            grid = np.unique([*found[found > 0], k - 1, k, threshold])
            far_draws = _weighted(nontargets, grid, pair_weights, above=True)
            frr_draws = _weighted(targets, grid, weights, above=False)
            place = int(np.searchsorted(grid, threshold))
            measured = _Measured(
                far=Number(value=float(far[threshold]), draws=far_draws[place]),
                frr=Number(value=float(frr[threshold]), draws=frr_draws[place]),
                eer=Number(value=float(equal), draws=crossings(far_draws, frr_draws)),
                accepted_targets=targets >= threshold,
                accepted_nontargets=nontargets >= threshold,
            )
            reference = reference or measured
            row = replace(
                result.row,
                speakers=count,
                targets=targets.size,
                nontargets=nontargets.size,
                values={**result.row.values, **_values(measured, reference)},
            )
            results.append(replace(result, row=row))
        return replace(self.all, results=results)


def _values(measured: _Measured, reference: _Measured) -> dict[str, Value]:
    """What the recommendation looks at, by the names of metrics."""
    targets = measured.accepted_targets != reference.accepted_targets
    nontargets = measured.accepted_nontargets != reference.accepted_nontargets
    return {
        FAR.name: estimate(measured.far, reference.far),
        FRR.name: estimate(measured.frr, reference.frr),
        EER.name: estimate(measured.eer, reference.eer),
        FLIPPED_TARGETS.name: int(targets.sum()),
        FLIPPED_NONTARGETS.name: int(nontargets.sum()),
    }


def _rates(
    nontargets: NDArray[np.uint16], targets: NDArray[np.uint16]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FAR and FRR with the threshold at the lower edge of each bin, and above the last."""
    below = [
        np.concatenate(([0], np.cumsum(np.bincount(one.ravel(), minlength=BINS)))) / one.size
        for one in (nontargets, targets)
    ]
    return 1 - below[0], below[1]


def _weighted(
    bins: NDArray[np.uint16],
    grid: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    above: bool,
) -> NDArray[np.float64]:
    """The share (grid, draws) of scores at or above, or below, each threshold of the grid.

    Each row of `bins` has a row of `weights`.
    """
    # How many thresholds a bin is at or above.
    passed = np.searchsorted(grid, np.arange(BINS), side="right")[bins]
    width = len(grid) + 1
    cell = np.arange(len(bins))[:, None] * width + passed
    counts = np.bincount(cell.ravel(), minlength=len(bins) * width).reshape(-1, width)
    total = np.cumsum(counts.astype(np.float32).T @ weights, axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        below = total[:-1] / total[-1]
    return np.asarray(1 - below if above else below)
