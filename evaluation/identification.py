"""Who speaks, by the nearest recordings of all others, instead of a threshold."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.data import Embeddings
from evaluation.draws import speaker_weights, weighted_sum

# Recordings whose nearest ones are looked for, at most.
QUERIES = 10_000
TOP = 5
# Neighbours that are compared with those of float32.
RECALL = 10


class Searcher(Protocol):
    """A database of rows."""

    def nearest(self, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """Return the k nearest rows (rows, k) of some rows, themselves included.

        Nearest first; -1 where no score is a number.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one database finds: shares of 1, and the same for each draw of speakers.

    `top1` is how often the nearest recording is of the same speaker, `top5` how often one of the
    nearest five is, `recall10` which share of the nearest ten of float32 are among the nearest ten.
    """

    top1: float
    top5: float
    recall10: float
    top1_draws: NDArray[np.float64]
    top5_draws: NDArray[np.float64]
    recall10_draws: NDArray[np.float64]


class Identification:
    """Every recording of a speaker who has another one is looked for among all others."""

    def __init__(self, embeddings: Embeddings, *, draws: int, seed: int) -> None:
        speaker = embeddings.speaker
        self._speaker = speaker
        asked = np.flatnonzero(np.bincount(speaker)[speaker] > 1)
        if len(asked) > QUERIES:
            asked = np.sort(np.random.default_rng(seed).choice(asked, QUERIES, replace=False))
        self._asked = asked
        self._k = min(RECALL, len(speaker) - 1)
        self._weights = speaker_weights(len(embeddings.speaker_names), draws=draws, seed=seed)
        self._reference: NDArray[np.int64] | None = None

    @property
    def queries(self) -> int:
        """Recordings that are looked for."""
        return len(self._asked)

    def find(self, searcher: Searcher) -> Found:
        """Return what a database finds; the first one that is asked is the reference."""
        nearest = self._others(searcher.nearest(self._asked, self._k + 1))
        if self._reference is None:
            self._reference = nearest
        # -1 would be the last row's speaker.
        same = self._speaker[nearest] == self._speaker[self._asked][:, None]
        same &= nearest >= 0
        kept = (nearest[:, :, None] == self._reference[:, None, :]).any(axis=1)
        top1, top1_draws = self._share(same[:, 0])
        top5, top5_draws = self._share(same[:, :TOP].any(axis=1))
        recall, recall_draws = self._share(kept.mean(axis=1))
        return Found(
            top1=top1,
            top5=top5,
            recall10=recall,
            top1_draws=top1_draws,
            top5_draws=top5_draws,
            recall10_draws=recall_draws,
        )

    def _others(self, nearest: NDArray[np.int64]) -> NDArray[np.int64]:
        """The nearest rows without the one that is looked for, or without the last of them."""
        own = nearest == self._asked[:, None]
        own[~own.any(axis=1), -1] = True
        others: NDArray[np.int64] = nearest[~own].reshape(len(nearest), -1)
        return others

    def _share(self, hits: NDArray[np.generic]) -> tuple[float, NDArray[np.float64]]:
        """The mean over the queries, and that of each draw of speakers."""
        speaker, count = self._speaker[self._asked], len(self._weights)
        sums = np.bincount(speaker, weights=hits.astype(np.float64), minlength=count)
        sizes = np.bincount(speaker, minlength=count)
        # Where nobody has two recordings, and in draws of none who has, there is no share.
        with np.errstate(invalid="ignore"):
            draws = weighted_sum(sums, self._weights) / weighted_sum(sizes, self._weights)
            return float(np.divide(sums.sum(), sizes.sum())), draws
