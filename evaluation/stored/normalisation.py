"""Scores normalised by a cohort: how far each lies above what either side scores with others.

Adaptive symmetric normalisation (AS-norm): P. Matejka et al., "Analysis of score normalization in
multilingual speaker recognition", Interspeech 2017, in the form where each side has its own top
cohort (often called AS-norm1). Of a pair (a, b) with the score s it is

    ((s - mean_a) / deviation_a + (s - mean_b) / deviation_b) / 2

with the mean and the standard deviation (of those scores, not an estimate for more of them) of the
largest scores of a, and of b, with the rows of the cohort.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.cohort import Cohort
from evaluation.embeddings.embeddings import Embeddings
from evaluation.stored.conditions import REFERENCES, Condition
from evaluation.stored.conversion import packed
from evaluation.stored.scorers import FloatScorer, Largest, PackedScorer
from evaluation.trials.pairs import Scorer

# Normalised scores are counted in [-REACH, REACH]; as for a histogram's, a power of two.
REACH = 64
# What deviates by less is alike: cosines in float32 are themselves off by about a tenth of it.
LEAST_DEVIATION = 2.0**-20


class NormalisedScorer:
    """Scores of another scorer, normalised by each row's mean and deviation with a cohort.

    A row whose scores with the cohort do not deviate has none that is a number.
    """

    def __init__(
        self, scorer: Scorer, means: NDArray[np.float64], deviations: NDArray[np.float64]
    ) -> None:
        self._scorer = scorer
        known = np.where(deviations >= LEAST_DEVIATION, deviations, np.nan)
        self._means = means.astype(np.float32)
        self._factors = (0.5 / known).astype(np.float32)

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the scores of rows `rows` with rows `columns`, a matrix."""
        scores = self._scorer.block(rows, columns)
        of_rows = (scores - self._means[rows, None]) * self._factors[rows, None]
        scores -= self._means[columns]
        scores *= self._factors[columns]
        scores += of_rows
        return scores

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores of rows pairs[:, 0] with rows pairs[:, 1]."""
        scores, (left, right) = self._scorer.pairs(pairs), pairs.T
        of_left = (scores - self._means[left]) * self._factors[left]
        of_right = (scores - self._means[right]) * self._factors[right]
        return np.asarray(of_left + of_right)


def normalised(
    scorer: FloatScorer | PackedScorer,
    embeddings: Embeddings,
    cohort: Cohort,
    condition: Condition,
    *,
    sharing: Sharing = ALONE,
) -> NormalisedScorer:
    """Return a scorer of embeddings stored in one way, normalised by a cohort that is stored so."""
    parts = sharing.map(_statistics, [*_largest(scorer, embeddings, cohort, condition)])
    means, deviations = (np.concatenate(part) for part in zip(*parts, strict=True))
    return NormalisedScorer(scorer, means, deviations)


def refuse_alike(embeddings: Embeddings, cohort: Cohort, *, sharing: Sharing = ALONE) -> None:
    """Raise InputError for rows that score alike with all of a cohort that counts, in float32."""
    float32 = Condition(format=REFERENCES[0])
    scorer = FloatScorer(torch.from_numpy(embeddings.rows))
    parts = sharing.map(_statistics, [*_largest(scorer, embeddings, cohort, float32)])
    deviations = np.concatenate([part[1] for part in parts])
    alike = np.flatnonzero(~(deviations >= LEAST_DEVIATION))
    if len(alike):
        file_row = embeddings.file_row
        first = alike[0] if file_row is None else file_row[alike[0]]
        raise InputError(
            f"{cohort.name}: the {cohort.top} largest scores of a row with the cohort must deviate "
            f"by at least {LEAST_DEVIATION:.2g}, as those of zeros do not; those of row {first} "
            f"of {embeddings.name} deviate by {deviations[alike[0]]:.2g}, {len(alike)} of "
            f"{len(embeddings)} rows in all"
        )


def _largest(
    scorer: FloatScorer | PackedScorer,
    embeddings: Embeddings,
    cohort: Cohort,
    condition: Condition,
) -> Iterator[Largest]:
    """Yield, of rows in turn, what finds their largest scores with the cohort, (rows, top)."""
    if isinstance(scorer, FloatScorer):
        assert isinstance(condition.format, torch.dtype)
        floats = FloatScorer(torch.from_numpy(cohort.rows), dtype=condition.format)
        return scorer.largest(floats, cohort.top)
    assert not isinstance(condition.format, torch.dtype)
    codes = packed(embeddings, condition.format, condition, others=cohort.rows)
    return scorer.largest(PackedScorer(codes), cohort.top)


def _statistics(largest: Largest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means and deviations of rows of scores, of those that are numbers."""
    scores = largest()
    known = np.isfinite(scores)
    count = known.sum(axis=1)
    wide = np.where(known, scores, 0).astype(np.float64)
    # A row without numbers has neither.
    with np.errstate(invalid="ignore"):
        means = wide.sum(axis=1) / count
        wide = np.where(known, wide - means[:, None], 0)
        deviations = np.sqrt(np.square(wide).sum(axis=1) / count)
    return means, deviations
