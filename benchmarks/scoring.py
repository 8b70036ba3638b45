"""Scores and search: float rows and queries near them, packed, and their exact neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.cases import Case, Contender, Op, Rival, Run, Sizes, Work, checked
from benchmarks.limits import reads
from minifloat import _C

# A query's distance from the row it comes from, whose length is 1.
_NOISE = 0.5
# Scores that may be in memory at once: 256 MiB of float32.
_BLOCK = 2**26


@dataclass(frozen=True)
class Scoring(Op):
    """How an operation on packed rows starts, and which rows its answer finds."""

    call: Callable[[Job], Run]
    nearest: Callable[[Job, Any], Tensor]

    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> list[ScoringCase]:
        """Return a case for each number of queries."""
        return [
            ScoringCase(self, format, source, queries, sizes.rows, sizes.dim, sizes.k)
            for queries in sizes.queries
        ]


@dataclass(frozen=True)
class ScoringCase(Case):
    """Queries, packed rows of the format ("codes") or float rows, against packed rows."""

    op: Scoring
    queries: int
    rows: int
    dim: int
    k: int

    limit = "read"
    unit = "gmac"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows, dim and k, the neighbours by which every answer is checked."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Queries, rows and dim."""
        return self.queries, self.rows, self.dim

    @property
    def amount(self) -> float:
        """Products, in units of 10^9."""
        return self.queries * self.rows * self.dim / 1e9

    def job(self) -> Job:
        """Return the queries and the database, as floats and as minifloat reads them."""
        rows = _rows(self.rows, self.dim)
        queries = _queries(rows, self.queries)
        exact = _exact(self.queries, self.rows, self.dim, self.k)
        packed = mf.quantize(rows, self.format)
        if self.source == "codes":
            return Job(self, rows, queries, exact, packed, mf.quantize(queries, self.format))
        return Job(self, rows, queries, exact, packed, queries.to(getattr(torch, self.source)))

    def prepare(self, rivals: Sequence[Rival[Any]]) -> Work:
        """Return all that is to be timed; the bytes are those of the database's codes."""
        job = self.job()
        run, read = self.op.call(job), job.database.codes.nbytes
        ours = Contender(run, recall(job, self.op.nearest(job, run())))
        products = round(self.amount * 1e9)
        multiply = partial(_C.multiply, self.format.index, products, torch.get_num_threads())
        return Work(job, ours, reads(read), multiply, checked(rivals, self, job), read)


@dataclass(frozen=True)
class Job:
    """Float rows and queries of length 1, each query's k nearest, and what minifloat reads."""

    case: ScoringCase
    rows: Tensor
    queries: Tensor
    exact: Tensor
    database: mf.PackedVectors
    read: mf.PackedVectors | Tensor


def call_scores(job: Job) -> Run:
    """Return the public call of scores, ready to run."""
    return partial(mf.scores, job.read, job.database)


def call_search(job: Job) -> Run:
    """Return the public call of search, ready to run."""
    return partial(mf.search, job.read, job.database, job.case.k)


def best_scores(job: Job, scores: Tensor) -> Tensor:
    """Return the rows of the k largest scores of each query."""
    return scores.topk(job.case.k).indices


def found_rows(job: Job, answer: tuple[Tensor, Tensor]) -> Tensor:
    """Return the rows that a search has found."""
    return answer[1]


def exact_search(rows: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest products of each query, in its dtype, and their rows."""
    blocks = queries.split(max(1, _BLOCK // len(rows)))
    best = [(block @ rows.T).topk(k) for block in blocks]
    return torch.cat([b.values for b in best]), torch.cat([b.indices for b in best])


def recall(job: Job, found: Tensor) -> float:
    """Return the share of k rows that are among each query's k nearest by float32 cosine.

    A row that ties with the last of the nearest is one of them.
    """
    return as_near(job.rows, job.queries, found, job.exact) / job.exact.numel()


def as_near(rows: Tensor, queries: Tensor, found: Tensor, exact: Tensor) -> int:
    """Return how many found rows, each once, are as near to their query as its exact ones."""
    count = 0
    for query, some, nearest in zip(queries.double(), found, exact, strict=True):
        there = some[(some >= 0) & (some < len(rows))].unique()
        # Row by row: a matrix product may round equal rows differently.
        products = [(rows[one].double() * query).sum(1).float() for one in (there, nearest)]
        count += int((products[0] >= products[1].min()).sum())
    return count


# Kept for the next case, which mostly reads the same.
@lru_cache(maxsize=1)
def _rows(rows: int, dim: int) -> Tensor:
    x = torch.randn((rows, dim), generator=torch.Generator().manual_seed(0))
    return x.div_(x.norm(dim=1, keepdim=True))


def _queries(rows: Tensor, queries: int) -> Tensor:
    """Return noisy rows from all over the database, of length 1."""
    near = rows[torch.arange(queries) * len(rows) // queries]
    noise = torch.randn(near.shape, generator=torch.Generator().manual_seed(1))
    near += noise * (_NOISE / rows.shape[1] ** 0.5)
    return near.div_(near.norm(dim=1, keepdim=True))


@lru_cache(maxsize=16)
def _exact(queries: int, rows: int, dim: int, k: int) -> Tensor:
    x = _rows(rows, dim)
    return exact_search(x, _queries(x, queries), k)[1]
