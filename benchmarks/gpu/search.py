"""Searches: packed queries against packed rows, by every backend and in several formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, Literal

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.cases import Rival, RivalError, Run
from benchmarks.gpu.best import recall
from benchmarks.gpu.cases import Contest, Entrant, Setting, limit
from benchmarks.gpu.contests import ContestCase
from benchmarks.gpu.devices import Device
from benchmarks.scoring import exact_search
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of

# An answer with less is wrong, not inexact.
LEAST_RECALL = 0.2
# Queries whose exact neighbours are looked for.
_SAMPLE = 256
# A query's distance from the row it comes from, whose length is 1.
_NOISE = 0.5
# The types in which the matrix units' peak is measured.
_PEAKS = ("int8", "float16")


@dataclass(frozen=True)
class SearchCase(ContestCase):
    """So many queries against so many rows, held against a read or against matrix products."""

    queries: int
    rows: int
    dim: int
    k: int
    formats: tuple[mf.Format, ...]
    bound: Literal["read", "multiply"]
    # The side of the square matrices whose product is the matrix units' peak.
    side: int
    rivals: tuple[Rival[SearchJob], ...]

    op = "search"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows, dim and k."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        return 2 * self.queries * self.rows * self.dim

    def contest(self, setting: Setting) -> Contest:
        """Return every backend in every format, limits and rivals."""
        database = _database(self.rows, self.dim, self.formats, setting.device.torch)
        job = SearchJob(self, setting.device, database)
        limits = self._reads(job) if self.bound == "read" else self._products(setting.device)
        ours = [
            Entrant(
                f"minifloat {backend} {f}",
                partial(job.run, backend, f),
                job.check,
                bytes=database.packed[f].codes.nbytes if self.bound == "read" else 0,
                operations=self.operations,
                facts={"backend": backend, "format": f.name},
                limits=self._limits(f),
            )
            for f in self.formats
            for backend in setting.backends
        ]
        rivals = [
            Entrant(
                rival.name,
                partial(rival.start, job),
                partial(rival.check, job),
                operations=self.operations,
            )
            for rival in self.rivals
        ]
        return Contest(job, ours, limits, rivals)

    def _limits(self, f: mf.Format) -> dict[str, tuple[str, ...]]:
        """Return the names of a format's limits by what is bounded."""
        if self.bound == "read":
            return {"read": tuple(_read_name(f.bits, way) for way in _WAYS)}
        return {f"{peak}_peak": (f"multiply {peak}",) for peak in _PEAKS}

    def _reads(self, job: SearchJob) -> list[Entrant]:
        """Return the reads of as many bytes as the rows take, of which the fastest counts."""
        by_bits = {f.bits: job.database.packed[f].codes for f in self.formats}
        return [
            limit(_read_name(bits, way), partial(start, codes), bytes=codes.nbytes)
            for bits, codes in by_bits.items()
            for way, start in _WAYS.items()
        ]

    def _products(self, device: Device) -> list[Entrant]:
        return [
            limit(
                f"multiply {peak}",
                partial(_product, getattr(torch, peak), self.side, device),
                operations=2 * self.side**3,
            )
            for peak in _PEAKS
        ]


@dataclass(frozen=True)
class Database:
    """Float rows of length 1, and packed in each format."""

    rows: Tensor
    packed: dict[mf.Format, mf.PackedVectors]


@dataclass(frozen=True)
class SearchJob:
    """A database, and the queries that are looked for in it."""

    case: SearchCase
    device: Device
    database: Database

    @cached_property
    def queries(self) -> Tensor:
        """Noisy rows from all over the database."""
        rows, count = self.database.rows, self.case.queries
        at = torch.arange(count, device=rows.device) * len(rows) // count
        return noisy(rows[at], self.device.generator(1))

    @cached_property
    def _sample(self) -> Tensor:
        count = min(_SAMPLE, self.case.queries)
        return torch.arange(count, device=self.device.torch) * self.case.queries // count

    @cached_property
    def _exact(self) -> Tensor:
        """The sample's nearest rows by float32."""
        return exact_search(self.database.rows, self.queries[self._sample], self.case.k)[1]

    def run(self, backend: str, f: mf.Format) -> Run:
        """Return a backend's search by packed queries."""
        queries, rows = mf.quantize(self.queries, f), self.database.packed[f]
        asked = Best(sides_of(queries, rows), Selection(), self.case.k)
        return partial(implementation(backend, "search"), *arguments(asked))

    def check(self, run: Run) -> float:
        """Return the recall of an answer, scores and rows; RivalError if it is too low."""
        answer: Any = run()
        return self.checked_recall(answer[1])

    def checked_recall(self, found: Tensor) -> float:
        """Return the share of nearest rows that were found; RivalError if it is too low."""
        shape = (self.case.queries, self.case.k)
        if found.shape != shape:
            raise RivalError(f"rows of shape {tuple(found.shape)}, not {shape}")
        share = recall(found[self._sample], self._exact)
        if share < LEAST_RECALL:
            message = f"recall {share:.2f} of the {self.case.k} nearest rows, below {LEAST_RECALL}"
            raise RivalError(message)
        return share


def normal_rows(rows: int, dim: int, generator: torch.Generator) -> Tensor:
    """Return random rows of length 1."""
    x = torch.randn((rows, dim), generator=generator, device=generator.device)
    return unit_rows(x)


def unit_rows(rows: Tensor) -> Tensor:
    """Return the rows themselves, made to have length 1."""
    return rows.div_(rows.norm(dim=1, keepdim=True))


def noisy(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Return rows with noise, of length 1."""
    noise = torch.randn(rows.shape, generator=generator, device=rows.device)
    near: Tensor = rows + noise * (_NOISE / rows.shape[1] ** 0.5)
    return unit_rows(near)


# Kept for the next case, which mostly reads the same.
@lru_cache(maxsize=1)
def _database(
    rows: int, dim: int, formats: tuple[mf.Format, ...], device: torch.device
) -> Database:
    x = normal_rows(rows, dim, torch.Generator(device).manual_seed(0))
    return Database(x, {f: mf.quantize(x, f) for f in formats})


def _read(reduction: Callable[[Tensor], Tensor], dtype: torch.dtype, codes: Tensor) -> Run:
    flat = codes.view(-1)
    return partial(reduction, flat[: len(flat) // 8 * 8].view(dtype))


_WAYS: dict[str, Callable[[Tensor], Run]] = {
    "int64 sum": partial(_read, torch.sum, torch.int64),
    "float32 sum": partial(_read, torch.sum, torch.float32),
    "int32 amax": partial(_read, torch.amax, torch.int32),
}


def _read_name(bits: int, way: str) -> str:
    return f"read of {bits} bits a value, {way}"


def _product(dtype: torch.dtype, side: int, device: Device) -> Run:
    """Return the product of two random matrices, both with their sums' dimension last."""
    draw = partial(torch.randint, -127, 128, (side, side), device=device.torch)
    a, b = (draw(generator=device.generator(seed)).to(dtype) for seed in range(2))
    if dtype == torch.int8:
        return partial(torch._int_mm, a, b.T)
    # Sums of larger numbers would be infinite.
    return partial(torch.matmul, a / 127, b.T / 127)
