"""Other packages that convert or pack as we do, each checked to give the same answer.

Casts of numkong and ml_dtypes run on one thread; torch and faiss take torch's number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import minifloat as mf
from benchmarks.cases import Rival, RivalError, Run
from benchmarks.elementwise import Job

_SAMPLE_ROWS = 4096
# Integer codes and float codes of as many bits differ in error by less than this.
_ERROR_FACTOR = 4


def _torch(job: Job) -> Run | None:
    f = job.case.format
    if f.bits != 8 or f.torch_dtype is None:
        return None
    x, out = (t.view(f.torch_dtype) if t.dtype == torch.uint8 else t for t in (job.x, job.out))
    return partial(x.to, out.dtype) if job.allocates else partial(out.copy_, x)


def _numkong(job: Job) -> Run | None:
    import numkong

    f = job.case.format
    if not hasattr(numkong, f"float{f.bits}_{f.name}"):
        return None

    def tensor(t: Tensor) -> Any:
        name: Any = f.name if t.dtype == torch.uint8 else str(t.dtype).removeprefix("torch.")
        return numkong.from_pointer(t.data_ptr(), tuple(t.shape), name, owner=t)

    x, out = tensor(job.x), tensor(job.out)
    cast = partial(numkong.astype, x, out.dtype)
    return cast if job.allocates else partial(cast, out=out)


def _ml_dtypes(job: Job) -> Run | None:
    import ml_dtypes

    dtype = job.case.format.ml_dtype
    if dtype is None:
        return None

    def array(t: Tensor) -> NDArray[Any]:
        if t.dtype == torch.bfloat16:
            return t.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
        return t.numpy().view(dtype) if t.dtype == torch.uint8 else t.numpy()

    x, out = array(job.x), array(job.out)
    if job.allocates:
        return partial(x.astype, out.dtype)
    return partial(np.copyto, out, x, casting="unsafe")


def _faiss(job: Job) -> Run | None:
    if job.case.source != "float32":
        return None
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    x, quantizer = job.x.numpy(), _quantizer(job)
    if job.allocates:
        return partial(quantizer.compute_codes, x)
    pointers = faiss.swig_ptr(x), faiss.swig_ptr(job.out.numpy())
    return partial(quantizer.compute_codes_c, *pointers, len(x))


def _quantizer(job: Job) -> Any:
    """Return faiss's scalar quantizer of the format's bits, trained on the first rows."""
    import faiss

    kind = getattr(faiss.ScalarQuantizer, f"QT_{job.case.format.bits}bit")
    quantizer = faiss.ScalarQuantizer(job.case.shape[1], kind)
    quantizer.train(job.x[:_SAMPLE_ROWS].numpy())
    return quantizer


def _as_bytes(answer: object) -> Tensor:
    if not isinstance(answer, Tensor):
        answer = torch.from_numpy(np.asarray(answer).view(np.uint8))
    return answer.flatten().view(torch.uint8)


def _in_bytes(job: Job, answer: Tensor, expected: Tensor) -> str:
    if answer.shape != expected.shape:
        return f"{len(answer)} bytes, not {len(expected)}"
    count = int((answer != expected).sum())
    return f"{count} of {len(expected)} bytes differ" if count else ""


def _in_error(job: Job, answer: Tensor, expected: Tensor) -> str:
    """Tell whether integer codes, which cannot equal ours, restore the input about as well."""
    x, f = job.x[:_SAMPLE_ROWS], job.case.format
    theirs, ours = (packed.view(len(job.x), -1)[: len(x)] for packed in (answer, expected))
    restored = torch.from_numpy(_quantizer(job).decode(theirs.numpy()))
    values = mf.decode(mf.unpack(ours, f, x.shape[1]), f)
    error, bound = (float((y - x).square().mean()) for y in (restored, values))
    if error <= _ERROR_FACTOR * bound:
        return ""
    return f"mean square error {error:g}, over {_ERROR_FACTOR} times {bound:g}"


def _check(difference: Callable[[Job, Tensor, Tensor], str], job: Job, run: Run) -> None:
    """Raise RivalError if the answer differs; `difference` tells how, "" if it does not."""
    expected = _as_bytes(job.expected)
    # So that no byte of it is right before the run.
    torch.bitwise_not(expected, out=_as_bytes(job.out))
    returned = run()
    if told := difference(job, _as_bytes(returned if job.allocates else job.out), expected):
        raise RivalError(told)


def _rival(
    name: str,
    ops: tuple[str, ...],
    start: Callable[[Job], Run | None],
    difference: Callable[[Job, Tensor, Tensor], str],
) -> Rival[Job]:
    return Rival(name, ops, start, partial(_check, difference))


_CASTS = ("encode", "decode")
RIVALS = (
    _rival("torch", _CASTS, _torch, _in_bytes),
    _rival("numkong", _CASTS, _numkong, _in_bytes),
    _rival("ml_dtypes", _CASTS, _ml_dtypes, _in_bytes),
    _rival("faiss", ("encode_pack",), _faiss, _in_error),
)
