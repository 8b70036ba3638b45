"""Which pairs of rows are compared, streamed so that neither pairs nor scores are ever held."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.draws import Weights, weighted_sum

# Scores held at one time: 16 MiB of float32.
BATCH = 1 << 22
# Embedding values gathered at one time when pairs are scored one by one: twice 8 MiB of float32.
PAIR_VALUES = 1 << 21


class Scorer(Protocol):
    """Cosines of converted rows; a row that is zero scores 0."""

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the cosines of rows `rows` with rows `columns`, a matrix."""
        ...

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows pairs[:, 0] with rows pairs[:, 1]."""
        ...


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Scores that are all of target trials or all of non-target trials.

    `left` and `right` are speakers and broadcast against `scores`. A score that is not a number
    has become -inf: it is never accepted.
    """

    target: bool
    scores: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]


class Trials(Protocol):
    """Trials of one file. Speakers count from 0 to `speakers` - 1.

    Its numbers are of all trials; the scores of each are given on one of the ranks that share them.
    """

    speakers: int
    targets: int
    nontargets: int
    description: str
    sharing: Sharing

    def batches(self, scorer: Scorer) -> Iterator[Batch]:
        """Yield the scores of every trial of this rank once, in the same order each time."""
        ...

    def weighted_targets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all target trials under weights (speakers, draws): (draws,)."""
        ...

    def weighted_nontargets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all non-target trials under weights (speakers, draws)."""
        ...


def checked(trials: Trials, *, source: str) -> Trials:
    """Return the trials, if there are both kinds, as error rates need."""
    if not trials.targets or not trials.nontargets:
        raise InputError(
            f"{source}: error rates need target and non-target trials; "
            f"got {trials.targets} target and {trials.nontargets} non-target"
        )
    return trials


class AllPairs:
    """Every pair of rows i < j: a target where the speakers are the same."""

    description = "all pairs of recordings"

    def __init__(self, embeddings: Embeddings, *, sharing: Sharing = ALONE) -> None:
        self.sharing = sharing
        self._speaker = embeddings.speaker
        # Wide before multiplying: a hundred thousand rows have more pairs than int32 holds.
        self._sizes = np.bincount(self._speaker).astype(np.int64)
        rows = len(self._speaker)
        self.speakers = len(self._sizes)
        self.targets = int((self._sizes * (self._sizes - 1) // 2).sum())
        self.nontargets = rows * (rows - 1) // 2 - self.targets

    def batches(self, scorer: Scorer) -> Iterator[Batch]:
        """Yield the scores of every trial of this rank once, in the same order each time."""
        speaker, rows = self._speaker, len(self._speaker)
        height = max(1, BATCH // rows)
        # Later ones have fewer columns: each rank gets of all.
        for start in range(0, rows, height)[self.sharing.share]:
            stop = min(start + height, rows)
            scores = scorer.block(slice(start, stop), slice(start, rows))
            never_accept_nan(scores)
            left, right = speaker[start:stop, None], speaker[None, start:]
            # Rows are grouped by speaker: only columns up to here can be of a row's own speaker.
            near = int(np.searchsorted(speaker, speaker[stop - 1], side="right")) - start
            after = np.arange(near)[None] > np.arange(stop - start)[:, None]
            same = left == right[:, :near]
            for target in (True, False):
                i, j = np.nonzero(after & (same if target else ~same))
                yield Batch(
                    target=target,
                    scores=scores[i, j],
                    left=speaker[start + i],
                    right=speaker[start + j],
                )
            yield Batch(target=False, scores=scores[:, near:], left=left, right=right[:, near:])

    def weighted_targets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all target trials under weights (speakers, draws): (draws,)."""
        return weighted_sum(self._sizes * (self._sizes - 1) // 2, weights)

    def weighted_nontargets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all non-target trials under weights (speakers, draws)."""
        total, squares = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
        step = max(1, BATCH // weights.shape[1])
        for start in range(0, len(weights), step):
            part = slice(start, start + step)
            sizes = self._sizes[part, None] * weights[part].astype(np.float64)
            total += sizes.sum(axis=0)
            squares += (sizes**2).sum(axis=0)
        return np.asarray((total**2 - squares) / 2)


class TrialList:
    """The trials of a list: rows `pairs` (n, 2), a target where `labels` is true."""

    def __init__(
        self,
        embeddings: Embeddings,
        *,
        pairs: NDArray[np.int64],
        labels: NDArray[np.bool_],
        description: str,
        sharing: Sharing = ALONE,
    ) -> None:
        self.sharing = sharing
        used, codes = np.unique(embeddings.speaker[pairs], return_inverse=True)
        speaker: NDArray[np.int32] = codes.reshape(pairs.shape).astype(np.int32)
        # Grouped by the left speaker, a batch touches few of the speaker pairs.
        order = np.argsort(speaker[:, 0], kind="stable")
        self._pairs, self._labels = pairs[order], labels[order]
        self._speakers: NDArray[np.int32] = speaker[order]
        self._batch = max(1, PAIR_VALUES // embeddings.dim)
        self.speakers = len(used)
        self.targets = int(labels.sum())
        self.nontargets = len(labels) - self.targets
        self.description = description

    def batches(self, scorer: Scorer) -> Iterator[Batch]:
        """Yield the scores of every trial of this rank once, in the same order each time."""
        for part, labels, speakers in self._parts():
            scores = scorer.pairs(part)
            never_accept_nan(scores)
            for target in (True, False):
                chosen = labels == target
                left, right = speakers[chosen].T
                yield Batch(target=target, scores=scores[chosen], left=left, right=right)

    def weighted_targets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all target trials under weights (speakers, draws): (draws,)."""
        return self._weigh(True, lambda pair: weights[pair[:, 0]], draws=weights.shape[1])

    def weighted_nontargets(self, weights: Weights) -> NDArray[np.float64]:
        """Return the weight of all non-target trials under weights (speakers, draws)."""
        return self._weigh(
            False,
            lambda pair: weights[pair[:, 0]].astype(np.uint16) * weights[pair[:, 1]],
            draws=weights.shape[1],
        )

    def _parts(
        self,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int32]]]:
        for start in range(0, len(self._pairs), self._batch)[self.sharing.share]:
            part = slice(start, start + self._batch)
            yield self._pairs[part], self._labels[part], self._speakers[part]

    def _weigh(
        self,
        target: bool,
        weight: Callable[[NDArray[np.int32]], NDArray[np.generic]],
        *,
        draws: int,
    ) -> NDArray[np.float64]:
        total = np.zeros(draws)
        step = max(1, BATCH // draws)
        chosen = self._speakers[self._labels == target]
        for start in range(0, len(chosen), step):
            total += weight(chosen[start : start + step]).sum(axis=0, dtype=np.float64)
        return total


def never_accept_nan(scores: NDArray[np.float32]) -> None:
    """Make scores that are not a number -inf, below every threshold."""
    scores[np.isnan(scores)] = -np.inf
