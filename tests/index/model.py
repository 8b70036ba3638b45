"""An index as a list of rows, which does everything in the simplest way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import torch
from torch import Tensor

import minifloat as mf

DIM = 24
COLUMNS = {"tenant": "integer indexed", "weight": "real", "note": "text"}

# Ids of each kind, by number.
IDS: dict[str, Callable[[int], Any]] = {
    "integer": lambda number: number * 7 - 20,
    "text": lambda number: f"speaker {number}'s\u00e9",
    "uuid": lambda number: UUID(int=number * 2**64 + 5),
}


def row(seed: int) -> Tensor:
    """Return a row that no other seed gives."""
    return torch.randn(1, DIM, generator=torch.Generator().manual_seed(seed))


def columns(seed: int) -> dict[str, Any]:
    """Return the columns of a row."""
    return {"tenant": seed % 3, "weight": seed / 4, "note": None if seed % 5 else f"n{seed}"}


class Model:
    """Rows in their order: id, vector, columns."""

    def __init__(self, format: str) -> None:
        self.format = format
        self.rows: list[tuple[Any, Tensor, dict[str, Any]]] = []

    def copy(self) -> Model:
        """Return another with the same rows."""
        new = Model(self.format)
        new.rows = list(self.rows)
        return new

    def ids(self) -> list[Any]:
        """Return all ids in order."""
        return [id for id, _, _ in self.rows]

    def remove(self, ids: list[Any]) -> None:
        """Take rows away."""
        self.rows = [one for one in self.rows if one[0] not in ids]

    def upsert(self, id: Any, vector: Tensor, values: dict[str, Any]) -> None:
        """Put a row at the end, in the place of that of its id."""
        self.remove([id])
        self.rows.append((id, vector, values))

    def search(
        self, queries: Tensor, k: int, keep: Callable[[dict[str, Any]], bool]
    ) -> tuple[Tensor, list[list[Any]]]:
        """Return scores (queries, k) and ids; NaN and None where there are no more rows."""
        kept = [(id, vector) for id, vector, values in self.rows if keep(values)]
        scores = torch.full((len(queries), k), torch.nan)
        ids: list[list[Any]] = [[None] * k for _ in queries]
        if not kept:
            return scores, ids
        packed = mf.quantize(torch.cat([vector for _, vector in kept]), self.format)
        most = min(k, len(kept))
        best, found = mf.search(queries, packed, most)
        scores[:, :most] = best
        for query, of_query in enumerate(found.tolist()):
            ids[query][:most] = [kept[i][0] for i in of_query]
        return scores, ids


def listed(ids: Any, kind: str) -> list[list[Any]]:
    """Return ids of an answer as lists, None where there is none."""
    if isinstance(ids, np.ndarray) and ids.dtype == object:
        return list(ids.tolist())
    # No number that is given is -1.
    return [
        [None if id == -1 else id for id in of_query] for of_query in torch.as_tensor(ids).tolist()
    ]
