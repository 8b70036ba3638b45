"""Ways to search, each of which tells its recall: this project's, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

import minifloat as mf
from benchmarks.data import Neighbours, exact_search
from benchmarks.harness.rival import package, rivals_of
from benchmarks.recall.sets import K
from benchmarks.rivals import RIVALS
from benchmarks.search import SearchJob

# Rows that a frame is fitted on.
SAMPLE = 1000
PACKAGES = ("faiss", "turbovec", "usearch")
_RIVALS = {
    rival.name: rival for rival in rivals_of(RIVALS, "search") if package(rival.name) in PACKAGES
}


@dataclass(frozen=True)
class Way:
    """A way to search, which tells its recall.

    `keeps` are the formats in which a row is kept, None for float32: the first is searched, a
    second rescores. `norm` is how many bytes a row has beside its codes.
    """

    name: str
    keeps: tuple[mf.Format | None, ...]
    find: Callable[[SearchJob], float]
    norm: int = 4

    def bytes(self, dim: int) -> int:
        """Return the bytes that a row takes."""
        return sum(f.row_bytes(dim) + self.norm if f else 4 * dim for f in self.keeps)


def _ours(job: SearchJob) -> float:
    return job.near.recall(_found(job, K))


def _found(job: SearchJob, first: int) -> Tensor:
    rows: Tensor = mf.search(job.near.queries, job.database, first)[1]
    return rows


def _rescored(job: SearchJob, *, first: int, by: mf.Format | None, centred: bool = False) -> float:
    """Return the recall of the best of the first rows that are found, by their rows in `by`."""
    near, found = job.near, _found(_centred(job) if centred else job, first)
    if by is None:
        scores = torch.einsum("qd,qfd->qf", near.queries, near.rows[found])
    else:
        queries = torch.arange(len(found)).repeat_interleave(first)
        pairs = torch.stack([queries, found.flatten()], dim=1)
        scores = mf.scores(near.queries, mf.quantize(near.rows, by), pairs=pairs).view(found.shape)
    return near.recall(found.gather(1, scores.topk(K).indices))


def standard_error(near: Neighbours) -> float:
    """Return that of the recall of E2M1 in a frame, over queries."""
    found = _found(_framed(near, mf.E2M1), K)
    shares = (found[:, :, None] == near.exact[:, None]).any(2).double().mean(1)
    return float(shares.std() / len(shares) ** 0.5)


def _framed(near: Neighbours, format: mf.Format, *, feeds_back: bool = False) -> SearchJob:
    """Return the search of the rows in a frame, which is fitted on some of them."""
    order = torch.randperm(len(near.rows), generator=torch.Generator().manual_seed(0))
    sample = near.rows[order[:SAMPLE]]
    frame = mf.Frame.fit(sample, feedback="force" if feeds_back else False)
    how: Literal["feedback", "nearest"] = "feedback" if feeds_back else "nearest"
    packed = mf.quantize(near.rows, format, frame=frame, rounding=how)
    return SearchJob(near, packed, near.queries)


def _of_framed(job: SearchJob, *, feeds_back: bool) -> float:
    framed = _framed(job.near, job.format, feeds_back=feeds_back)
    return job.near.recall(_found(framed, K))


def _centred(job: SearchJob) -> SearchJob:
    """Return the search of rows less their mean."""
    mean = job.near.rows.mean(0)
    rows, queries = (normalize(x - mean) for x in (job.near.rows, job.near.queries))
    near = replace(job.near, rows=rows, queries=queries)
    return SearchJob(near, mf.quantize(rows, job.format), queries)


def _of_centred(job: SearchJob) -> float:
    return job.near.recall(_found(_centred(job), K))


def _float32_of_centred(job: SearchJob) -> float:
    centred = _centred(job).near
    return job.near.recall(exact_search(centred.rows, centred.queries, K)[1])


def _rival(name: str, job: SearchJob) -> float:
    rival = _RIVALS[name]
    run = rival.start(job)
    share = run and rival.check(job, run)
    if share is None:
        raise ValueError(f"{name} does not serve {job.format}")
    return share


def _format(format: mf.Format) -> Way:
    return Way(format.name.upper(), (format,), _ours)


def _package(name: str, format: mf.Format, rival: str, norm: int = 0) -> Way:
    return Way(name, (format,), partial(_rival, rival), norm)


def _in_a_frame(format: mf.Format, *, feeds_back: bool = False) -> Way:
    name = f"{format.name.upper()}, framed{', feedback' if feeds_back else ''}"
    # A norm and a coordinate.
    return Way(name, (format,), partial(_of_framed, feeds_back=feeds_back), norm=8)


def _best_of(first: int, by: mf.Format | None, *, centred: bool = False) -> Way:
    searched = "E2M1, centred" if centred else "E2M1"
    name = f"{searched}, {first} rescored in {by.name.upper() if by else 'float32'}"
    return Way(name, (mf.E2M1, by), partial(_rescored, first=first, by=by, centred=centred))


WAYS = (
    _format(mf.E3M4),
    _format(mf.E4M3),
    _format(mf.E5M2),
    _in_a_frame(mf.E3M4),
    _package("FAISS SQ8", mf.E3M4, "faiss"),
    _package("USearch int8", mf.E3M4, "usearch"),
    _format(mf.E2M3),
    _format(mf.E3M2),
    _in_a_frame(mf.E2M3),
    _in_a_frame(mf.E2M3, feeds_back=True),
    _package("FAISS SQ6", mf.E2M3, "faiss"),
    _format(mf.E2M1),
    _in_a_frame(mf.E2M1),
    _in_a_frame(mf.E2M1, feeds_back=True),
    _package("FAISS SQ4", mf.E2M1, "faiss"),
    _package("FAISS FastScan", mf.E2M1, "faiss FastScan"),
    _package("FAISS TurboQuant", mf.E2M1, "faiss TurboQuant"),
    _package("FAISS EDEN", mf.E2M1, "faiss EDEN", norm=4),
    _package("FAISS RaBitQ", mf.E2M1, "faiss RaBitQ", norm=20),
    _package("turbovec", mf.E2M1, "turbovec", norm=4),
    _package("turbovec, calibrated", mf.E2M1, "turbovec calibrated", norm=4),
    _best_of(50, mf.E3M4),
    _best_of(100, mf.E3M4),
    _best_of(100, None),
    Way("float32, centred", (None,), _float32_of_centred),
    Way("E2M1, centred", (mf.E2M1,), _of_centred),
    _best_of(100, mf.E3M4, centred=True),
    _best_of(100, None, centred=True),
)
