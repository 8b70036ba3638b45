"""Scalar quantizers and searches of faiss, on torch's number of threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, get_num_threads

import minifloat as mf
from benchmarks.codec import CodecJob
from benchmarks.harness.rival import Rival, RivalError
from benchmarks.harness.timing import Run
from benchmarks.search import SearchJob, finds

_SAMPLE_ROWS = 4096
# Integer codes and float codes of as many bits differ in error by less than this.
_ERROR_FACTOR = 4


def _encode_pack(job: CodecJob) -> Run | None:
    if job.x.dtype != torch.float32:
        return None
    import faiss

    faiss.omp_set_num_threads(get_num_threads())
    x, quantizer = job.x.numpy(), _quantizer(job)
    if job.out is None:
        return partial(quantizer.compute_codes, x)
    pointers = faiss.swig_ptr(x), faiss.swig_ptr(job.out.numpy())
    return partial(quantizer.compute_codes_c, *pointers, len(x))


def _quantizer(job: CodecJob) -> Any:
    """Return the scalar quantizer of the format's bits, trained on the first rows."""
    import faiss

    kind = getattr(faiss.ScalarQuantizer, f"QT_{job.format.bits}bit")
    quantizer = faiss.ScalarQuantizer(job.shape[1], kind)
    quantizer.train(job.x[:_SAMPLE_ROWS].numpy())
    return quantizer


def _check_error(job: CodecJob, run: Run) -> None:
    """Raise RivalError if integer codes, which cannot equal ours, restore the input far worse."""
    x, f = job.x[:_SAMPLE_ROWS], job.format
    ours, theirs = job.expected[: len(x)], job.answer(run).view(len(job.x), -1)[: len(x)]
    restored = torch.from_numpy(_quantizer(job).decode(theirs.numpy()))
    values = mf.decode(mf.unpack(ours, f, x.shape[1]), f)
    error, bound = (float((y - x).square().mean()) for y in (restored, values))
    if error > _ERROR_FACTOR * bound:
        message = f"mean square error {error:g}, over {_ERROR_FACTOR} times {bound:g}"
        raise RivalError(message)


def _codes(job: SearchJob) -> Run:
    return _scalar_quantizer(job, f"QT_{job.format.bits}bit")


def _bfloat16(job: SearchJob) -> Run:
    # Whatever the format, for faiss searches these faster than its codes of 6 or 4 bits.
    return _scalar_quantizer(job, "QT_bf16")


def _scalar_quantizer(job: SearchJob, quantizer: str) -> Run:
    import faiss

    kind = getattr(faiss.ScalarQuantizer, quantizer)
    return _search(job, faiss.IndexScalarQuantizer(_dim(job), kind, faiss.METRIC_INNER_PRODUCT))


def _flat(job: SearchJob) -> Run:
    import faiss

    return _search(job, faiss.IndexFlatIP(_dim(job)))


def _fast_scan(job: SearchJob) -> Run | None:
    """Return the scan of a product quantizer that has 4 bits for each value, as E2M1 has."""
    import faiss

    dim = _dim(job)
    if job.format.bits != 4:
        return None
    return _search(job, faiss.IndexPQFastScan(dim, dim, 4, faiss.METRIC_INNER_PRODUCT))


def _turned(job: SearchJob, kind: str) -> Run | None:
    """Return the search of rows that are turned at random and then have 4 bits for each value."""
    import faiss

    if job.format.bits != 4:
        return None
    dim, metric = _dim(job), faiss.METRIC_INNER_PRODUCT
    if kind == "TurboQuant":
        kind_of_bits = faiss.ScalarQuantizer.QT_4bit_tqmse
        index = faiss.IndexScalarQuantizer(dim, kind_of_bits, metric)
    else:
        index = getattr(faiss, f"Index{kind}")(dim, metric, 4)
    turn = faiss.RandomRotationMatrix(dim, dim)
    return _search(job, faiss.IndexPreTransform(turn, index))


def _search(job: SearchJob, index: Any) -> Run:
    """Return the search of an index of the rows, by float32 queries."""
    import faiss

    faiss.omp_set_num_threads(get_num_threads())
    index.train(job.near.rows.numpy())
    index.add(job.near.rows.numpy())
    return partial(index.search, job.near.queries.numpy(), job.near.k)


def _dim(job: SearchJob) -> int:
    return job.near.rows.shape[1]


def _rows(job: SearchJob, answer: Any) -> Tensor:
    return torch.from_numpy(answer[1])


RIVALS = (
    Rival("faiss", ("encode_pack",), _encode_pack, _check_error),
    Rival("faiss", ("search",), _codes, finds(_rows)),
    Rival("faiss bfloat16", ("search",), _bfloat16, finds(_rows)),
    Rival("faiss FastScan", ("search",), _fast_scan, finds(_rows)),
    Rival("faiss TurboQuant", ("search",), partial(_turned, kind="TurboQuant"), finds(_rows)),
    Rival("faiss EDEN", ("search",), partial(_turned, kind="EDEN"), finds(_rows)),
    Rival("faiss RaBitQ", ("search",), partial(_turned, kind="RaBitQ"), finds(_rows)),
    Rival("faiss flat", ("search",), _flat, finds(_rows)),
)
