"""A search of a database that lies in pinned memory of the host, against copying it over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.cases import RivalError, Run
from benchmarks.gpu.best import best_of, recall
from benchmarks.gpu.cases import Contest, Entrant, Setting, limit
from benchmarks.gpu.contests import ContestCase
from benchmarks.gpu.devices import Device
from benchmarks.gpu.search import LEAST_RECALL, noisy, normal_rows
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
            lambda: partial(mf.search, job.queries, job.database, self.k),
            job.check,
            bytes=codes.nbytes,
            operations=2 * self.queries * self.rows * self.dim,
            facts={"backend": backend, "format": self.format.name},
            limits={"copy_to_device": ("copy to device",)},
        )
        return Contest(job, [ours], [limit("copy to device", copy, bytes=codes.nbytes)], ())

    def job(self, device: Device) -> HostJob:
        """Return a database in the host's memory, queries and their nearest rows."""
        pinned = partial(torch.empty, pin_memory=device.torch.type == "cuda")
        codes = pinned((self.rows, self.format.row_bytes(self.dim)), dtype=torch.uint8)
        norms = pinned(self.rows, dtype=torch.float32)
        database = mf.PackedVectors(codes, norms, self.format, self.dim)
        generator, first = device.generator(0), min(_BLOCK_ROWS, self.rows)
        block = normal_rows(first, self.dim, generator)
        at = torch.arange(self.queries, device=device.torch) * first // self.queries
        queries = noisy(block[at], device.generator(1))

        def scores(block: Tensor) -> Iterator[Tensor]:
            for begin in range(0, self.rows, first):
                end = min(begin + first, self.rows)
                if begin:
                    block = normal_rows(end - begin, self.dim, generator)
                packed = mf.quantize(block, self.format)
                codes[begin:end].copy_(packed.codes)
                norms[begin:end].copy_(packed.reciprocal_norms)
                yield queries @ block.T

        exact = best_of(scores(block), self.k)[1]
        return HostJob(mf.quantize(queries, self.format), database, exact)


@dataclass(frozen=True)
class HostJob:
    """Packed queries on the device, a database in the host's memory and the nearest rows."""

    queries: mf.PackedVectors
    database: mf.PackedVectors
    exact: Tensor

    def check(self, run: Run) -> float:
        """Return the recall of an answer; RivalError if it is too low."""
        answer: Any = run()
        share = recall(answer[1].to(self.exact.device), self.exact)
        if share < LEAST_RECALL:
            raise RivalError(f"recall {share:.2f}, below {LEAST_RECALL}")
        return share
