"""Other packages that score or search, each checked to find the nearest rows before it is timed.

None of them has our codes, so an answer is judged by its recall of float32's nearest rows. All
take torch's number of threads, but for numkong, whose packed kernels run on one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, get_num_threads

import minifloat as mf
from benchmarks.cases import Rival, RivalError, Run
from benchmarks.scoring import Job, best_scores, exact_search, found_rows, recall

LEAST_RECALL = 0.2
# A matrix of more scores, 1 GiB of float32, is not made only to be compared with a search.
_MOST_SCORES = 2**28
# As many rows as turbovec's documentation says are enough to calibrate by.
_SAMPLE = 1024


def _torch_scores(job: Job) -> Run:
    return partial(torch.matmul, job.queries, job.rows.T)


def _torch_search(job: Job) -> Run:
    return partial(exact_search, job.rows, job.queries, job.case.k)


def _torch_bfloat16_search(job: Job) -> Run:
    rows, queries = (x.bfloat16() for x in (job.rows, job.queries))
    return partial(exact_search, rows, queries, job.case.k)


def _faiss(job: Job) -> Run:
    return _scalar_quantizer(job, f"QT_{job.case.format.bits}bit")


def _faiss_bfloat16(job: Job) -> Run:
    # Whatever the format, for faiss searches these faster than its codes of 6 or 4 bits.
    return _scalar_quantizer(job, "QT_bf16")


def _scalar_quantizer(job: Job, quantizer: str) -> Run:
    import faiss

    kind = getattr(faiss.ScalarQuantizer, quantizer)
    index = faiss.IndexScalarQuantizer(job.case.dim, kind, faiss.METRIC_INNER_PRODUCT)
    return _faiss_search(job, index)


def _faiss_flat(job: Job) -> Run:
    import faiss

    return _faiss_search(job, faiss.IndexFlatIP(job.case.dim))


def _faiss_fast_scan(job: Job) -> Run | None:
    """Return the scan of a product quantizer that has 4 bits for each value, as E2M1 has."""
    import faiss

    dim = job.case.dim
    if job.case.format.bits != 4:
        return None
    return _faiss_search(job, faiss.IndexPQFastScan(dim, dim, 4, faiss.METRIC_INNER_PRODUCT))


def _faiss_search(job: Job, index: Any) -> Run:
    """Return the search of an index of the rows, by float32 queries."""
    import faiss

    faiss.omp_set_num_threads(get_num_threads())
    index.train(job.rows.numpy())
    index.add(job.rows.numpy())
    return partial(index.search, job.queries.numpy(), job.case.k)


def _turbovec(job: Job, *, sample: int = 0) -> Run | None:
    """Return the search of 4-bit rows by float32 queries, calibrated by a sample of the rows."""
    if job.case.format.bits != 4 or job.case.dim % 8:
        return None
    # Its pool of threads is made when it is first used, of as many as this says.
    os.environ["RAYON_NUM_THREADS"] = str(get_num_threads())
    import turbovec

    index = turbovec.TurboQuantIndex(job.case.dim, 4)
    if sample:
        order = torch.randperm(len(job.rows), generator=torch.Generator().manual_seed(0))
        index.calibrate(job.rows[order[:sample]].numpy())
    index.add(job.rows.numpy())
    index.prepare()
    return partial(index.search, job.queries.numpy(), job.case.k)


def _usearch(job: Job) -> Run:
    """Return the exact search of int8 rows by cosine, whatever the format."""
    from usearch.index import search

    database, queries = (_int8(x) for x in (job.rows, job.queries))
    run = partial(search, database, queries, job.case.k, exact=True)
    return partial(run, threads=get_num_threads())


def _int8(x: Tensor) -> Any:
    factors = 127 / x.abs().amax(1, keepdim=True)
    codes = torch.empty(x.shape, dtype=torch.int8)
    for codes_part, part, factor in zip(*(t.split(4096) for t in (codes, x, factors)), strict=True):
        codes_part.copy_((part * factor).round_())
    return codes.numpy()


def _numkong(job: Job) -> Run | None:
    """Return the cosine distances of the format's codes; numkong has no top-k."""
    import numkong

    f, dim = job.case.format, job.case.dim
    name: Any = f.name
    if not hasattr(numkong, f"float{f.bits}_{f.name}"):
        return None
    if job.case.op.name == "search" and job.case.queries * job.case.rows > _MOST_SCORES:
        return None

    def tensor(packed: mf.PackedVectors) -> Any:
        codes = mf.unpack(packed.codes, f, dim)
        return numkong.from_pointer(codes.data_ptr(), tuple(codes.shape), name, owner=codes)

    queries = tensor(mf.quantize(job.queries, f))
    database = numkong.dots_pack(tensor(job.database), dtype=name)
    return partial(numkong.angulars_packed, queries, database)


def _least_distances(job: Job, distances: Any) -> Tensor:
    return best_scores(job, -torch.from_numpy(np.asarray(distances)))


def _second(job: Job, answer: Any) -> Tensor:
    return torch.from_numpy(answer[1])


def _usearch_rows(job: Job, answer: Any) -> Tensor:
    return torch.from_numpy(answer.keys.astype(np.int64)).view(job.case.queries, job.case.k)


def _check(nearest: Callable[[Job, Any], Tensor], job: Job, run: Run) -> float:
    """Return the answer's recall; RivalError if it is too low for a search."""
    share = recall(job, nearest(job, run()))
    if share < LEAST_RECALL:
        raise RivalError(
            f"recall {share:.2f} of the {job.case.k} nearest rows, below {LEAST_RECALL}"
        )
    return share


def _rival(
    name: str,
    ops: tuple[str, ...],
    start: Callable[[Job], Run | None],
    nearest: Callable[[Job, Any], Tensor],
) -> Rival[Job]:
    return Rival(name, ops, start, partial(_check, nearest))


RIVALS = (
    _rival("torch", ("scores",), _torch_scores, best_scores),
    _rival("torch", ("search",), _torch_search, found_rows),
    _rival("torch bfloat16", ("search",), _torch_bfloat16_search, found_rows),
    _rival("numkong", ("scores", "search"), _numkong, _least_distances),
    _rival("faiss", ("search",), _faiss, _second),
    _rival("faiss bfloat16", ("search",), _faiss_bfloat16, _second),
    _rival("faiss FastScan", ("search",), _faiss_fast_scan, _second),
    _rival("faiss flat", ("search",), _faiss_flat, _second),
    _rival("turbovec", ("search",), _turbovec, _second),
    _rival("turbovec calibrated", ("search",), partial(_turbovec, sample=_SAMPLE), _second),
    _rival("usearch", ("search",), _usearch, _usearch_rows),
)
