"""Searches: packed queries against packed rows, by every backend and in several formats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.data import Neighbours, normal_rows, queries_near, spread
from benchmarks.gpu.cases import limits
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, ContestCase, Entrant, entrants
from benchmarks.harness.device import Device
from benchmarks.harness.rival import rivals_of
from benchmarks.harness.timing import Run
from benchmarks.search import DeviceSearchJob, finds, found_rows
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of

# Queries whose exact neighbours are looked for.
_SAMPLE = 256


@dataclass(frozen=True)
class DeviceSearchCase(ContestCase):
    """So many queries against so many rows, held against a read or against matrix products."""

    queries: int
    rows: int
    dim: int
    k: int
    formats: tuple[mf.Format, ...]
    bound: Literal["read", "multiply"]
    # The side of the square matrices whose product is the matrix units' peak.
    side: int

    op = "search"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows, dim and k."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}

    def contest(self, setting: Setting) -> Contest:
        """Return every backend in every format, limits and rivals."""
        job, is_read = self.job(setting.device), self.bound == "read"
        work = {"tops": 2 * self.queries * self.rows * self.dim / 1e12}
        ours = [
            Entrant(
                f"minifloat {backend} {f}",
                partial(self.run, job, backend, f),
                partial(self.check, job, f),
                bytes=job.packed[f].codes.nbytes if is_read else 0,
                work=work,
                facts={"backend": backend, "format": f.name},
                limits=limits.read_limits(f.bits) if is_read else limits.product_limits(),
            )
            for f in self.formats
            for backend in self.backends(setting)
        ]
        if is_read:
            bounds = limits.reads((f.bits, packed.codes) for f, packed in job.packed.items())
        else:
            bounds = limits.products(self.side, setting.device)
        rivals = entrants(rivals_of(setting.rivals, self.op, "cuda"), job, work=work)
        return Contest(job, ours, bounds, rivals)

    def job(self, device: Device) -> DeviceSearchJob:
        """Return a database in all formats, and queries from all over it."""
        rows, packed = _database(self.rows, self.dim, self.formats, device.torch)
        queries = queries_near(rows, self.queries, device.generator(1))
        sample = spread(min(_SAMPLE, self.queries), self.queries, device.torch)
        return DeviceSearchJob(Neighbours.of(rows, queries, self.k, sample), device, packed)

    def backends(self, setting: Setting) -> tuple[str, ...]:
        """Return whose operators take part."""
        return setting.backends

    def check(self, job: DeviceSearchJob, f: mf.Format, run: Run) -> float:
        """Return the recall of a search."""
        return finds(found_rows)(job, run)

    def run(self, job: DeviceSearchJob, backend: str, f: mf.Format) -> Run:
        """Return a backend's search by packed queries."""
        queries, rows = mf.quantize(job.near.queries, f), job.packed[f]
        asked = Best(sides_of(queries, rows), Selection(), self.k)
        return partial(implementation(backend, "search"), *arguments(asked))


# Kept for the next case, which mostly reads the same.
@lru_cache(maxsize=1)
def _database(
    rows: int, dim: int, formats: tuple[mf.Format, ...], device: torch.device
) -> tuple[Tensor, dict[mf.Format, mf.PackedVectors]]:
    x = normal_rows(rows, dim, torch.Generator(device).manual_seed(0))
    return x, {f: mf.quantize(x, f) for f in formats}
