"""How stored embeddings are compared: cosines of floats by torch, of packed codes by minifloat."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.trials.pairs import BATCH

PART = 16384
# Rows among which the nearest are found at one time.
COLUMNS = 1 << 16
# What finds the largest cosines of some rows with others.
Largest = Callable[[], NDArray[np.float32]]


class FloatScorer:
    """Cosines in float32 of rows given in float32, rounded to another type where one is given."""

    def __init__(self, rows: torch.Tensor, *, dtype: torch.dtype = torch.float32) -> None:
        self._unit = torch.empty_like(rows)
        # In parts, because they are in float64.
        for part, unit in zip(rows.split(PART), self._unit.split(PART), strict=True):
            stored = part.to(dtype).float()
            norms = stored.norm(dim=1, keepdim=True, dtype=torch.float64)
            unit.copy_(torch.where(norms > 0, stored / norms, 0))

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the cosines of rows `rows` with rows `columns`, a matrix."""
        return np.asarray((self._unit[rows] @ self._unit[columns].T).numpy())

    def nearest(self, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """Return the k nearest rows (rows, k) of some rows, themselves included."""
        step = max(1, BATCH // min(len(self._unit), COLUMNS))
        found = torch.empty((len(rows), k), dtype=torch.int64)
        # Results that lay among the freed products would keep the heap from using their place.
        for part, out in zip(torch.from_numpy(rows).split(step), found.split(step), strict=True):
            out.copy_(_best(self._unit[part], self._unit, k)[1])
        return np.asarray(found.numpy())

    def largest(self, others: "FloatScorer", k: int) -> Iterator[Largest]:
        """Yield what finds the k largest cosines (rows, k) with rows of others, of rows in turn.

        Cosines that are no numbers are among them only where there are no others.
        """
        step = max(1, BATCH // min(len(others._unit), COLUMNS))
        for part in self._unit.split(step):
            yield partial(_largest, part, others._unit, k)

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows pairs[:, 0] with rows pairs[:, 1]."""
        left, right = torch.from_numpy(pairs).T
        return np.asarray((self._unit[left] * self._unit[right]).sum(dim=1).numpy())


def _largest(queries: torch.Tensor, unit: torch.Tensor, k: int) -> NDArray[np.float32]:
    return np.asarray(_best(queries, unit, k)[0].numpy())


def _best(queries: torch.Tensor, unit: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k largest cosines of queries with rows at length 1, and which rows they are."""
    scores, rows = torch.empty((len(queries), 0)), torch.empty((len(queries), 0)).long()
    first = 0
    for block in unit.split(COLUMNS):
        # To topk nothing is larger than NaN, which rows have that overflowed.
        best = (queries @ block.T).nan_to_num_(nan=-torch.inf).topk(min(k, len(block)))
        scores = torch.cat((scores, best.values), 1)
        rows = torch.cat((rows, best.indices + first), 1)
        first += len(block)
    last = scores.topk(k)
    return last.values, rows.gather(1, last.indices)


class PackedScorer:
    """Cosines straight from packed codes, of rows that were packed from an array."""

    def __init__(self, vectors: mf.PackedVectors) -> None:
        self._vectors = vectors

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the cosines of rows `rows` with rows `columns`, a matrix."""
        return np.asarray(mf.scores(self._vectors[rows], self._vectors[columns]))

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows pairs[:, 0] with rows pairs[:, 1]."""
        return np.asarray(mf.scores(self._vectors, self._vectors, pairs=pairs))

    def nearest(self, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
        """Return the k nearest rows (rows, k) of some rows, themselves included."""
        scores, found = mf.search(self._vectors[torch.from_numpy(rows)], self._vectors, k)
        return np.where(np.isnan(scores), -1, found)

    def largest(self, others: "PackedScorer", k: int) -> Iterator[Largest]:
        """Yield what finds the k largest cosines (rows, k) with rows of others, of rows in turn.

        Cosines that are no numbers are among them only where there are no others.
        """
        step = max(1, BATCH // k)
        for start in range(0, len(self._vectors), step):
            part = self._vectors[start : start + step]
            yield partial(_largest_packed, part, others._vectors, k)


def _largest_packed(
    queries: mf.PackedVectors, vectors: mf.PackedVectors, k: int
) -> NDArray[np.float32]:
    return np.asarray(mf.search(queries, vectors, k)[0])
