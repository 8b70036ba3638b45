"""What is asked of a database, whether a packed file or an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from minifloat.vectors import PackedVectors

Queries = Tensor | PackedVectors


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is looked for: the nearest k, or all rows that reach a threshold, by originals or not.

    where: SQL over the columns of an index.
    """

    k: int
    threshold: float | None = None
    originals: Any = None
    where: str | None = None


class Found(NamedTuple):
    """What was found for some queries: of each so many rows, by ids or numbers, and scores."""

    counts: list[int]
    names: list[Any]
    scores: list[float]


class Database(Protocol):
    """Rows that are searched; `label` says whether they are known by their row or by an id."""

    label: str
    dim: int

    def __len__(self) -> int: ...

    def close(self) -> None:
        """Close its files."""
        ...

    def found(self, queries: Queries, asked: Asked) -> Found:
        """Return what was looked for, by each query."""
        ...

    def pairs(self, threshold: float) -> Iterator[tuple[list[Any], list[Any], list[float]]]:
        """Yield pairs of rows whose score is at least the threshold, some rows at a time."""
        ...

    def cosines(self, left: Sequence[str], right: Sequence[str]) -> Tensor:
        """Return the score of each two ids, float32; ids are as texts have them."""
        ...
