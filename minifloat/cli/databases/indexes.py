"""An index as a database: rows by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import torch
from torch import Tensor

from minifloat.cli.databases.database import Asked, Found, Queries
from minifloat.cli.errors import InputError
from minifloat.cli.results import shortest
from minifloat.index import Index
from minifloat.scoring import pairs_above
from minifloat.scoring import scores as cosines
from minifloat.vectors import PackedVectors

# What ids are, and how texts become such.
KINDS: dict[str, Callable[[str], Any]] = {"integer": int, "text": str, "uuid": UUID}


class IndexDatabase:
    """The rows of an index, as its newest version has them."""

    label = "id"

    def __init__(self, path: str) -> None:
        self._index = Index.open(path)
        self.dim = self._index.dim

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._index)

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def found(self, queries: Queries, asked: Asked) -> Found:
        """Return what was looked for, by each query; fewer than k where there are no more."""
        how: dict[str, Any] = {"where": asked.where, "originals": asked.originals}
        if asked.threshold is not None:
            reached = self._index.range_search(queries, asked.threshold, **how)
            return _by_score(reached.offsets, reached.ids, reached.scores)
        scores, ids = self._index.search(queries, asked.k, **how)
        scores, ids = np.asarray(scores), np.asarray(ids)
        # Rows that are not there have score NaN, and no id.
        there = ~(np.isnan(scores) & (ids == (None if ids.dtype == object else -1)))
        return Found(there.sum(1).tolist(), ids[there].tolist(), shortest(scores[there]))

    def pairs(self, threshold: float) -> Iterator[tuple[list[Any], list[Any], list[float]]]:
        """Yield pairs of rows whose score is at least the threshold, some rows at a time."""
        batches = [*self._index.batches()]
        if not batches:
            return
        ids = [id for batch in batches for id in _listed(batch.ids)]
        rows = PackedVectors.cat([batch.vectors for batch in batches])
        for pairs, scores in pairs_above(rows, threshold):
            left, right = ([ids[row] for row in side] for side in np.asarray(pairs).T.tolist())
            yield left, right, shortest(scores)

    def cosines(self, left: Sequence[str], right: Sequence[str]) -> Tensor:
        """Return the score of each two ids, float32; ids are as texts have them."""
        places = {name: place for place, name in enumerate(dict.fromkeys((*left, *right)))}
        rows = self._index.get(ids_like(self._index, places)).vectors
        pairs = torch.tensor([[places[one] for one in side] for side in (left, right)]).T
        return torch.as_tensor(cosines(rows, rows, pairs=pairs))


def ids_like(index: Index, texts: Iterable[str]) -> list[Any]:
    """Return ids that texts have as those that an index has; of an empty one they are texts."""
    return as_kind(index.stats().ids or "text", texts)


def as_kind(kind: str, texts: Iterable[str]) -> list[Any]:
    """Return ids that texts have as integers, texts or UUIDs."""
    found = []
    for text in texts:
        try:
            found.append(KINDS[kind](text))
        except ValueError as error:
            raise InputError(f"ids must be of kind {kind}; got {text!r}") from error
    return found


def _by_score(offsets: Any, ids: Any, scores: Any) -> Found:
    """Return what was reached, of each query the best first."""
    ids, scores = np.asarray(ids), np.asarray(scores)
    counts = np.diff(np.asarray(offsets))
    query = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-scores, query))
    return Found(counts.tolist(), ids[order].tolist(), shortest(scores[order]))


def _listed(ids: Any) -> list[Any]:
    found: list[Any] = ids if isinstance(ids, list) else ids.tolist()
    return found
