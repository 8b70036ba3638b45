"""A search of a database that lies in pinned memory of the host, against copying it over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.data import Neighbours, best_of, normal_rows, queries_near
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, ContestCase, Entrant, limit
from benchmarks.harness.device import Device
from benchmarks.harness.timing import Run
from minifloat.backends import serving

# Rows that are made at once.
_BLOCK_ROWS = 2**20


@dataclass(frozen=True)
class HostCase(ContestCase):
    """Queries on the device against packed rows in the host's memory."""

    format: mf.Format
    queries: int
    rows: int
    dim: int
    k: int

    op = "search of host memory"

    @property
    def inputs(self) -> dict[str, int | str]:
        """The format, queries, rows, dim and k."""
        sizes = {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}
        return {"format": self.format.name, **sizes}

    def contest(self, setting: Setting) -> Contest:
        """Return the public call, which the device's own backend serves, and a plain copy."""
        job = self.job(setting.device)
        codes = job.database.codes
        backend = serving(setting.device.torch.type.upper()).module

        def copy() -> Run:
            target = torch.empty_like(codes, device=setting.device.torch)
            return partial(target.copy_, codes, non_blocking=True)

        ours = Entrant(
            "minifloat",
            lambda: partial(mf.search, job.packed, job.database, self.k),
            job.check,
            bytes=codes.nbytes,
            work={"tops": 2 * self.queries * self.rows * self.dim / 1e12},
            facts={"backend": backend, "format": self.format.name},
            limits={"copy_to_device": ("copy to device",)},
        )
        return Contest(job, [ours], [limit("copy to device", copy, bytes=codes.nbytes)], ())

    def job(self, device: Device) -> HostJob:
        """Return a database in the host's memory, queries and their nearest rows."""
        pinned = partial(torch.empty, pin_memory=device.torch.type == "cuda")
        codes = pinned((self.rows, self.format.row_bytes(self.dim)), dtype=torch.uint8)
        norms = pinned(self.rows, dtype=torch.float32)
        rows = MadeRows(self.rows, self.dim, device)
        first = next(rows.blocks())
        queries = queries_near(first, self.queries, device.generator(1))

        def scores() -> Iterator[Tensor]:
            begin = 0
            for block in rows.blocks():
                packed, end = mf.quantize(block, self.format), begin + len(block)
                codes[begin:end].copy_(packed.codes)
                norms[begin:end].copy_(packed.reciprocal_norms)
                begin = end
                yield queries @ block.T

        exact = best_of(scores(), self.k)[1]
        database = mf.PackedVectors(codes, norms, self.format, self.dim)
        return HostJob(rows, queries, exact, mf.quantize(queries, self.format), database)


@dataclass(frozen=True)
class MadeRows:
    """Random rows of length 1, made anew where they are needed, for a device holds few of them."""

    count: int
    dim: int
    device: Device

    def blocks(self) -> Iterator[Tensor]:
        """Yield them in their order."""
        generator = self.device.generator(0)
        for begin in range(0, self.count, _BLOCK_ROWS):
            yield normal_rows(min(_BLOCK_ROWS, self.count - begin), self.dim, generator)

    def at(self, numbers: Tensor) -> Tensor:
        """Return the rows of these numbers, which ascend."""
        found, begin = [], 0
        for block in self.blocks():
            is_here = (numbers >= begin) & (numbers < begin + len(block))
            found.append(block[numbers[is_here] - begin])
            begin += len(block)
        return torch.cat(found)


@dataclass(frozen=True)
class HostJob:
    """Queries on the device and their nearest rows, and what is searched in the host's memory."""

    rows: MadeRows
    queries: Tensor
    exact: Tensor
    packed: mf.PackedVectors
    database: mf.PackedVectors

    def check(self, run: Run) -> float:
        """Return the recall of an answer; RivalError if it is too low."""
        answer: Any = run()
        found = answer[1].to(self.exact.device)
        is_row = (found >= 0) & (found < self.rows.count)
        numbers = torch.cat([found[is_row], self.exact.flatten()]).unique()
        # Only rows that matter, which have other numbers among themselves.
        exact, found = (torch.searchsorted(numbers, some) for some in (self.exact, found))
        near = Neighbours(self.rows.at(numbers), self.queries, exact)
        return near.checked_recall(found.where(is_row, -1))
