"""What a search sees: rows as they were at one moment, whatever is added or removed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count as counter

import torch
from torch import Tensor

from minifloat.index.rows.store import Store
from minifloat.vectors import PackedVectors

_SERIALS = counter()

# So many more rows fit behind those that are there before marks are copied.
_MORE = 1 << 16


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The first rows of a store, and which of them are there.

    removed: how many are not. alive: bool, at least as many as rows, whether each is there; None
    where all are. next_row: the number that no row has yet. version: the last that was committed,
    and sees: the last whose removals count. generation: how often rows have moved.
    """

    store: Store
    count: int
    next_row: int
    version: int
    sees: int
    generation: int
    alive: Tensor | None = None
    removed: int = 0
    vectors: PackedVectors = field(init=False)
    serial: int = field(init=False, default_factory=_SERIALS.__next__)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", self.store.vectors(self.count))

    def __len__(self) -> int:
        """Return the number of rows that are there."""
        return self.count - self.removed

    @property
    def mask(self) -> Tensor | None:
        """Which rows are there, bool (count,); None where all are."""
        return None if self.alive is None else self.alive[: self.count]

    def positions(self) -> Tensor:
        """Return where the rows are that are there."""
        if self.mask is None:
            return torch.arange(self.count)
        return self.mask.nonzero().squeeze(1)

    def is_there(self, positions: Tensor) -> Tensor:
        """Return which of some positions have rows that are there; -1 has none."""
        there = positions >= 0
        if self.alive is not None:
            there &= self.alive[positions.clamp(min=0)]
        return there

    def with_rows(self, store: Store, next_row: int) -> Snapshot:
        """Return this and the rows that a store has behind."""
        alive = self.alive
        if alive is not None and store.count > len(alive):
            alive = torch.cat([alive[: self.count], _all(store.count - self.count)])
        # Marks behind the last row are those of rows that are there.
        return replace(self, store=store, count=store.count, next_row=next_row, alive=alive)

    def without(self, positions: Tensor) -> Snapshot:
        """Return this without rows that are there."""
        if not len(positions):
            return self
        # Others look at the marks that are there.
        alive = _all(self.count) if self.alive is None else self.alive.clone()
        alive[positions] = False
        return replace(self, alive=alive, removed=self.removed + len(positions))


def _all(rows: int) -> Tensor:
    return torch.ones(rows + max(_MORE, rows // 8), dtype=torch.bool)
