"""Scores and search: float rows and queries near them, packed, and their exact neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.codec import CODES
from benchmarks.data import Neighbours, normal_rows, queries_near
from benchmarks.harness.calls import FLOATS, CallCase, Op, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, Entrant, entrants, limit
from benchmarks.harness.device import Device
from benchmarks.harness.limits import reads
from benchmarks.harness.rival import rivals_of
from benchmarks.harness.timing import Run
from minifloat import _C


@dataclass(frozen=True)
class Search(Op):
    """How an operation on packed rows starts, and which rows its answer finds."""

    call: Callable[[SearchJob], Run]
    nearest: Callable[[SearchJob, Any], Tensor]

    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> list[SearchCase]:
        """Return a case for each number of queries."""
        return [
            SearchCase(self.name, format, source, queries, sizes.rows, sizes.dim, sizes.k)
            for queries in sizes.queries
        ]


@dataclass(frozen=True)
class SearchCase(CallCase):
    """Queries, packed rows of the format ("codes") or float rows, against packed rows."""

    queries: int
    rows: int
    dim: int
    k: int

    bound = "read"
    unit = "gmac_per_s"

    @property
    def sizes(self) -> dict[str, int | str]:
        """Queries, rows, dim and k, the neighbours by which every answer is checked."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Queries, rows and dim."""
        return self.queries, self.rows, self.dim

    def job(self) -> SearchJob:
        """Return the queries and the database, as floats and as minifloat reads them."""
        near = _neighbours(*self.shape, self.k)
        database = mf.quantize(near.rows, self.format)
        if self.source == CODES:
            return SearchJob(near, database, mf.quantize(near.queries, self.format))
        return SearchJob(near, database, near.queries.to(getattr(torch, self.source)))

    def contest(self, setting: Setting) -> Contest:
        """Return the public call, limits and rivals; the bytes are those of all codes.

        "multiply" is as many products on the fastest unit of the instruction set for exact ones.
        """
        job, op = self.job(), OPS[self.op]
        products, read = self.queries * self.rows * self.dim, job.database.codes.nbytes
        work = {self.unit: products / 1e9}
        multiply = partial(_C.multiply, self.format.index, products, torch.get_num_threads())
        limits = reads(read)
        ours = Entrant(
            "minifloat",
            partial(op.call, job),
            lambda run: job.near.recall(op.nearest(job, run())),
            bytes=read,
            work=work,
            limits={self.bound: [one.name for one in limits], "multiply": ["multiply"]},
        )
        limits.append(limit("multiply", lambda: multiply, work=work))
        rivals = entrants(rivals_of(setting.rivals, self.op), job, bytes=read, work=work)
        return Contest(job, [ours], limits, rivals)


@dataclass(frozen=True)
class SearchJob:
    """Float rows and queries, each query's nearest rows, and what minifloat reads."""

    near: Neighbours
    database: mf.PackedVectors
    read: mf.PackedVectors | Tensor

    @property
    def format(self) -> mf.Format:
        """The database's format."""
        return self.database.format


@dataclass(frozen=True)
class DeviceSearchJob:
    """Float rows and queries on a device, some queries' nearest rows, and the rows packed."""

    near: Neighbours
    device: Device
    packed: Mapping[mf.Format, mf.PackedVectors]


def finds(nearest: Callable[[Any, Any], Tensor]) -> Callable[[Any, Run], float]:
    """Return the check of a rival, given how its answer to a job tells of the nearest rows."""

    def check(job: Any, run: Run) -> float:
        share: float = job.near.checked_recall(nearest(job, run()))
        return share

    return check


def best_scores(job: SearchJob, scores: Tensor) -> Tensor:
    """Return the rows of the k largest scores of each query."""
    return scores.topk(job.near.k).indices


def found_rows(job: object, answer: tuple[object, Tensor]) -> Tensor:
    """Return the rows that a search has found, beside their scores."""
    return answer[1]


def _call_scores(job: SearchJob) -> Run:
    return partial(mf.scores, job.read, job.database)


def _call_search(job: SearchJob) -> Run:
    return partial(mf.search, job.read, job.database, job.near.k)


_SOURCES = (*FLOATS, CODES)
OPS = {
    op.name: op
    for op in (
        Search("scores", _SOURCES, _call_scores, best_scores),
        Search("search", _SOURCES, _call_search, found_rows),
    )
}


# Kept for the next case, which mostly reads the same.
@lru_cache(maxsize=1)
def _rows(rows: int, dim: int) -> Tensor:
    return normal_rows(rows, dim, torch.Generator().manual_seed(0))


@lru_cache(maxsize=16)
def _neighbours(queries: int, rows: int, dim: int, k: int) -> Neighbours:
    x = _rows(rows, dim)
    return Neighbours.of(x, queries_near(x, queries, torch.Generator().manual_seed(1)), k)
