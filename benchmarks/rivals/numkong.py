"""Casts of numkong, which run on one thread, as do its packed products; it has no top-k."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from benchmarks.codec import CodecJob
from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Run
from benchmarks.search import SearchJob, best_scores, finds

# A matrix of more scores, 1 GiB of float32, is not made only to be compared with a search.
_MOST_SCORES = 2**28


def _cast(job: CodecJob) -> Run | None:
    import numkong

    f = job.format
    if not _has(f):
        return None

    def tensor(t: Tensor) -> Any:
        name: Any = f.name if t.dtype == torch.uint8 else str(t.dtype).removeprefix("torch.")
        return numkong.from_pointer(t.data_ptr(), tuple(t.shape), name, owner=t)

    cast = partial(numkong.astype, tensor(job.x), tensor(job.expected).dtype)
    return cast if job.out is None else partial(cast, out=tensor(job.out))


def _scores(job: SearchJob) -> Run | None:
    """Return the cosine distances of the format's codes."""
    import numkong

    f, dim = job.format, job.database.dim
    name: Any = f.name
    if not _has(f):
        return None

    def tensor(packed: mf.PackedVectors) -> Any:
        codes = mf.unpack(packed.codes, f, dim)
        return numkong.from_pointer(codes.data_ptr(), tuple(codes.shape), name, owner=codes)

    queries = tensor(mf.quantize(job.near.queries, f))
    database = numkong.dots_pack(tensor(job.database), dtype=name)
    return partial(numkong.angulars_packed, queries, database)


def _search(job: SearchJob) -> Run | None:
    scores = len(job.near.queries) * len(job.near.rows)
    return None if scores > _MOST_SCORES else _scores(job)


def _least_distances(job: SearchJob, distances: Any) -> Tensor:
    return best_scores(job, -torch.from_numpy(np.asarray(distances)))


def _has(format: mf.Format) -> bool:
    import numkong

    return hasattr(numkong, f"float{format.bits}_{format.name}")


RIVALS = (
    Rival("numkong", ("encode", "decode"), _cast, CodecJob.check),
    Rival("numkong", ("scores",), _scores, finds(_least_distances)),
    Rival("numkong", ("search",), _search, finds(_least_distances)),
)
