"""Who speaks, by the nearest recordings of all others, instead of a threshold."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.embeddings import Embeddings, at_unit_length
from evaluation.trials.draws import speaker_weights, weighted_sum

# Recordings whose nearest ones are looked for, at most.
QUERIES = 10_000
TOP = 5
# Neighbours that are compared with those of float32.
RECALL = 10
# Values of rows that are in float64 at one time: 32 MiB.
BLOCK = 1 << 22
# Recordings whose nearest ones are looked for at one time, by one of the ranks.
PART = 256


class Searcher(Protocol):
    """A database of rows."""

    def nearest(self, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """Return the k nearest rows (rows, k) of some rows, themselves included.

        Nearest first; -1 where no score is a number.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class IdentificationRates:
    """What one database finds: shares of 1, and the same for each draw of speakers.

    `top1` is how often the nearest recording is of the same speaker, `top5` how often one of the
    nearest five is: equal scores are in the order that the database gives. `recall10` is which
    share of the nearest ten are among the nearest ten of float32, or equal them: a neighbour counts
    if its cosine, of the rows as they were and in float32, is at least that of float32's tenth.
    """

    top1: float
    top5: float
    recall10: float
    top1_draws: NDArray[np.float64]
    top5_draws: NDArray[np.float64]
    recall10_draws: NDArray[np.float64]


class Identification:
    """Every recording of a speaker who has another one is looked for among all others."""

    def __init__(
        self, embeddings: Embeddings, *, draws: int, seed: int, sharing: Sharing = ALONE
    ) -> None:
        self._sharing = sharing
        speaker = embeddings.speaker
        self._rows, self._speaker = embeddings.rows, speaker
        asked = np.flatnonzero(np.bincount(speaker)[speaker] > 1)
        if len(asked) > QUERIES:
            asked = np.sort(np.random.default_rng(seed).choice(asked, QUERIES, replace=False))
        self._asked = asked
        self._k = min(RECALL, len(speaker) - 1)
        # Of those who speak in what is looked for, who are numbered anew.
        speakers, self._asked_speaker = np.unique(speaker[asked], return_inverse=True)
        weights = speaker_weights(len(embeddings.speaker_names), draws=draws, seed=seed)
        self._weights = weights[speakers]
        self._least: NDArray[np.float32] | None = None

    @property
    def queries(self) -> int:
        """Recordings that are looked for."""
        return len(self._asked)

    def find(self, searcher: Searcher) -> IdentificationRates:
        """Return what a database finds; the first one that is asked is the reference."""
        # At least one part, be it of nothing.
        starts = range(0, max(1, len(self._asked)), PART)
        parts = [self._asked[start : start + PART] for start in starts]
        found = self._sharing.map(lambda asked: self._found(searcher, asked), parts)
        nearest, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
        if self._least is None:
            self._least = cosines.min(axis=1, keepdims=True)
        # -1 would be the last row's speaker.
        same = self._speaker[nearest] == self._speaker[self._asked][:, None]
        same &= nearest >= 0
        kept = (cosines >= self._least) & (nearest >= 0)
        top1, top1_draws = self._share(same[:, 0])
        top5, top5_draws = self._share(same[:, :TOP].any(axis=1))
        recall, recall_draws = self._share(kept.mean(axis=1))
        return IdentificationRates(
            top1=top1,
            top5=top5,
            recall10=recall,
            top1_draws=top1_draws,
            top5_draws=top5_draws,
            recall10_draws=recall_draws,
        )

    def _found(
        self, searcher: Searcher, asked: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The nearest others of some rows, and their exact cosines with them."""
        nearest = _others(searcher.nearest(asked, self._k + 1), asked)
        return nearest, self._cosines(nearest, asked)

    def _cosines(self, nearest: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.float32]:
        """The exact cosines of the queries with their neighbours: equal rows have equal ones."""
        found = np.empty(nearest.shape, np.float32)
        step = max(1, BLOCK // (nearest.shape[1] * self._rows.shape[1]))
        for start in range(0, len(nearest), step):
            block = slice(start, start + step)
            others = at_unit_length(self._rows[nearest[block]])
            found[block] = (others * at_unit_length(self._rows[asked[block]])[:, None]).sum(axis=2)
        return found

    def _share(self, hits: NDArray[np.generic]) -> tuple[float, NDArray[np.float64]]:
        """The mean over the queries, and that of each draw of speakers."""
        speaker, count = self._asked_speaker, len(self._weights)
        sums = np.bincount(speaker, weights=hits.astype(np.float64), minlength=count)
        sizes = np.bincount(speaker, minlength=count)
        # Where nobody has two recordings, and in draws of none who has, there is no share.
        with np.errstate(invalid="ignore"):
            draws = weighted_sum(sums, self._weights) / weighted_sum(sizes, self._weights)
            return float(np.divide(sums.sum(), sizes.sum())), draws


def _others(nearest: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest rows without the one that is looked for, or without the last of them."""
    own = nearest == asked[:, None]
    own[~own.any(axis=1), -1] = True
    others: NDArray[np.int64] = nearest[~own].reshape(len(nearest), -1)
    return others
