"""A rank's part of a database, and the ranks that have the others."""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.distributed.exchange.ranks import Ranks
from minifloat.distributed.shards.indexes import IndexRows
from minifloat.formats import Format
from minifloat.frames import Frame
from minifloat.index.catalog.errors import DamagedError
from minifloat.index.reading.filters import Chosen
from minifloat.index.rows.devices import OnDevice
from minifloat.vectors import PackedVectors


class Missing(NamedTuple):
    """Rows of a rank, from first to the one before end, that could not be read, and why."""

    rank: int
    first: int
    end: int
    reason: str


class Shard:
    """A rank's rows of a database, one run of them, and the ranks that have the others.

    Made by `open_shard`. What is done with it is done by all ranks at once, in one order. As a
    context manager it lets go of the group's connections at the end.
    """

    def __init__(
        self,
        ranks: Ranks,
        bounds: list[int],
        rows: PackedVectors | IndexRows,
        missing: tuple[Missing, ...] = (),
        device: str | torch.device = "cpu",
    ) -> None:
        self.ranks, self.bounds, self.missing = ranks, bounds, missing
        self.index = rows if isinstance(rows, IndexRows) else None
        own = rows.vectors if isinstance(rows, IndexRows) else rows
        self.prepared: dict[Any, Chosen] = {}
        self._on_device = OnDevice(device)
        on_cpu = self._on_device.device.type == "cpu"
        if self.index is not None and not on_cpu:
            self.vectors = self._on_device.copied(self.index.snapshot)
        else:
            self.vectors = own.to(device)

    @property
    def rank(self) -> int:
        """The number of the rank that has these rows."""
        return self.ranks.rank

    @property
    def first(self) -> int:
        """The number of the first row that is here, of those of all ranks."""
        return self.bounds[self.rank]

    @property
    def end(self) -> int:
        """The number after that of the last row that is here."""
        return self.bounds[self.rank + 1]

    @property
    def total(self) -> int:
        """Rows of all ranks; those of an index that were removed count until they are moved."""
        return self.bounds[-1]

    @property
    def version(self) -> int | None:
        """The version of an index that all ranks have opened."""
        return None if self.index is None else self.index.version

    @property
    def format(self) -> Format:
        """The format of codes."""
        return self.vectors.format

    @property
    def dim(self) -> int:
        """Values of each row."""
        return self.vectors.dim

    @property
    def frame(self) -> Frame | None:
        """The frame that rows are quantized in, if any."""
        return self.vectors.frame

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.vectors.device

    @property
    def alive(self) -> Tensor | None:
        """Which rows that are here were not removed, bool; None where all are there."""
        return None if self.index is None else self.index.snapshot.mask

    def __len__(self) -> int:
        """Return how many rows are here."""
        return len(self.vectors)

    def __repr__(self) -> str:
        """Return which rows of how many are here, and on which rank."""
        return (
            f"Shard(rows {self.first}..{self.end} of {self.total} x {self.dim} {self.format}, "
            f"rank {self.rank} of {self.ranks.count}, {self.device})"
        )

    def to(self, device: str | torch.device) -> Shard:
        """Return the same rows on a device."""
        rows: Any = self.vectors if self.index is None else self.index
        return Shard(self.ranks, self.bounds, rows, self.missing, device)

    def refuse_missing(self) -> None:
        """Raise DamagedError where this rank's rows could not be read."""
        for one in self.missing:
            if one.rank == self.rank:
                raise DamagedError(one.reason)

    def close(self) -> None:
        """Let go of connections to other ranks, and of files."""
        self.ranks.close()
        if self.index is not None and self.index.state is not None:
            self.index.state.close()

    def __enter__(self) -> Shard:
        """Return the shard."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
