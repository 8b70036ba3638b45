"""Queries on their way to all ranks: turned and rounded by one, so that all multiply the same."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.arrays import as_rows
from minifloat.distributed.exchange.tensors import as_message, of_message, there
from minifloat.ops.rows import Rows, Sides
from minifloat.scoring.exact import float_queries
from minifloat.scoring.queries import are_from_numpy, sides_of
from minifloat.vectors import PackedVectors


class Queries(NamedTuple):
    """Some queries, packed or in the lane of a database's format, and what goes with each.

    total: how many there are in all, of which `batch` come at once. x: as they were given, float
    (n, dim), where originals are read. thresholds: float32 (n,). digest: a sum of all as given.
    """

    total: int
    batch: int
    from_numpy: bool
    digest: int
    rows: Rows
    x: Tensor | None
    thresholds: Tensor | None

    @staticmethod
    def of(
        given: Any,
        database: PackedVectors,
        batch: int,
        *,
        are_read: bool,
        thresholds: Callable[[Sides], Tensor] | None = None,
    ) -> Queries:
        """Return all queries that were given; TypeError or ValueError for others than can be.

        are_read: whether originals are compared with them.
        """
        sides = sides_of(given, database)
        x = float_queries(given) if are_read else None
        of_each = None if thresholds is None else thresholds(sides)
        total, is_numpy = sides.shape[0], are_from_numpy(given)
        return Queries(total, batch, is_numpy, digest(given), sides.a, x, of_each)

    def some(self, number: int) -> Queries:
        """Return those of a batch."""
        which = slice(number * self.batch, (number + 1) * self.batch)
        x, thresholds = (None if of is None else of[which] for of in (self.x, self.thresholds))
        return self._replace(rows=self.rows.some(which), x=x, thresholds=thresholds)

    def message(self) -> Tensor:
        """Return them as bytes."""
        facts = torch.tensor([self.total, self.batch, self.from_numpy, self.digest])
        return as_message([facts, *self.rows, self.x, self.thresholds])

    @staticmethod
    def read(data: Tensor) -> Queries:
        """Return those of a message."""
        facts, rows, norms, coordinates, x, thresholds = of_message(data)
        total, batch, is_numpy, digest = there(facts).tolist()
        in_lane = Rows(there(rows), there(norms), coordinates)
        return Queries(total, batch, bool(is_numpy), digest, in_lane, x, thresholds)

    @property
    def batches(self) -> int:
        """How many batches there are, at least one."""
        return max(1, -(-self.total // self.batch))


def digest(given: Any) -> int:
    """Return a sum of queries as they were given."""
    rows = given.codes if isinstance(given, PackedVectors) else as_rows("queries", given)
    data = rows.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return zlib.crc32(data.numpy().data) if data.numel() else 0
