"""Operations on each value: what they read, how they start, and what must come out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, get_num_threads

import minifloat as mf
from benchmarks.harness.calls import FLOATS, CallCase, Op, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, Entrant, entrants
from benchmarks.harness.limits import copies
from benchmarks.harness.rival import RivalError, rivals_of
from benchmarks.harness.timing import Run
from minifloat import _C
from minifloat.ops.checks import SOURCES

CODES = "codes"
DIM = 512
# A call allocates its result, and so pays for fresh pages; a kernel writes into memory in use.
SCOPES = ("call", "kernel")

# Makes a job ready: what is prepared in it is not timed, what it returns is.
Start = Callable[["CodecJob"], Run]


@dataclass(frozen=True)
class Codec(Op):
    """How an operation on each value starts in either scope."""

    call: Start
    kernel: Start

    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> list[CodecCase]:
        """Return a case for each number of values, in both scopes."""
        return [
            CodecCase(self.name, format, source, values, scope)
            for values in sizes.values
            for scope in SCOPES
        ]


@dataclass(frozen=True)
class CodecCase(CallCase):
    """An operation on so many values, in one scope."""

    values: int
    scope: str

    bound = "copy"
    unit = "values_per_s"

    @property
    def sizes(self) -> dict[str, int | str]:
        """Scope and values."""
        return {"scope": self.scope, "values": self.values}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dim: rows of DIM values, or one shorter row."""
        return shape_of(self.values)

    def job(self) -> CodecJob:
        """Return the input, the answer, and memory to write it to where that is in use."""
        x = make_input(self.source, self.format, self.shape, torch.Generator().manual_seed(0))
        # The public call tells what comes out; a clone of that is memory in use.
        expected = OPS[self.op].call(CodecJob(self.format, self.shape, x, x))()
        assert isinstance(expected, Tensor)
        out = expected.clone() if self.scope == "kernel" else None
        return CodecJob(self.format, self.shape, x, expected, out)

    def contest(self, setting: Setting) -> Contest:
        """Return the operation, copies and rivals; the bytes are those read and written."""
        job, op = self.job(), OPS[self.op]
        moved, work = job.x.nbytes + job.expected.nbytes, {self.unit: self.values}
        limits = copies(moved)
        ours = Entrant(
            "minifloat",
            partial(op.call if job.out is None else op.kernel, job),
            job.check,
            bytes=moved,
            work=work,
            limits={self.bound: [copy.name for copy in limits]},
        )
        rivals = entrants(rivals_of(setting.rivals, self.op), job, bytes=moved, work=work)
        return Contest(job, [ours], limits, rivals)


@dataclass(frozen=True)
class CodecJob:
    """The input of an operation on each value, and what must come out of it, in main memory.

    `out` is memory in use for an answer, None where each is new memory. Where `ends` is a number,
    only so many rows at either end of an answer are expected.
    """

    format: mf.Format
    shape: tuple[int, int]
    x: Tensor
    expected: Tensor
    out: Tensor | None = None
    ends: int | None = None

    def answer(self, run: Run) -> Tensor:
        """Return the bytes of a run's answer."""
        if self.out is None:
            return as_bytes(run())
        # So that no byte of it is right before the run.
        torch.bitwise_not(as_bytes(self.expected), out=as_bytes(self.out))
        run()
        return as_bytes(self.out)

    def check(self, run: Run) -> None:
        """Raise RivalError if an answer has other bytes than are expected."""
        found, expected = self.answer(run), as_bytes(self.expected)
        size = len(expected) // len(self.expected) * len(self.x)
        if len(found) != size:
            raise RivalError(f"{len(found)} bytes, not {size}")
        if self.ends is not None:
            found = as_bytes(ends_of(found.view(len(self.x), -1), self.ends))
        if wrong := int((found.cpu() != expected).sum()):
            raise RivalError(f"{wrong} of {len(expected)} bytes differ")


def ends_of(rows: Tensor, count: int) -> Tensor:
    """Return so many rows from either end."""
    return torch.cat([rows[:count], rows[-count:]])


def as_bytes(answer: object) -> Tensor:
    """Return the bytes of a tensor or of what NumPy takes for an array."""
    if not isinstance(answer, Tensor):
        answer = torch.from_numpy(np.asarray(answer).view(np.uint8))
    return answer.flatten().view(torch.uint8)


def shape_of(values: int) -> tuple[int, int]:
    """Return rows and dim: rows of DIM values, or one shorter row."""
    dim = min(values, DIM)
    return values // dim, dim


def make_input(
    source: str, format: mf.Format, shape: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Return what is read: normal values that fill the format's range, or their codes.

    The values are finite, in range, and exact in float32 where the source is float64: there all
    packages that round to nearest even give the same codes.
    """
    limit = format.max
    x = torch.randn(shape, generator=generator, device=generator.device)
    x.mul_(limit / 4).clamp_(-limit, limit)
    if source == CODES:
        return mf.encode(x, format)
    if source == "packed":
        return mf.encode_pack(x, format)
    dtype: torch.dtype = getattr(torch, source)
    return x.to(dtype)


def _call(function: Callable[..., Tensor]) -> Start:
    """Return the start of a public call that takes the input and a format."""
    return lambda job: partial(function, job.x, job.format)


def _call_unpack(job: CodecJob) -> Run:
    return partial(mf.unpack, job.x, job.format, job.shape[1])


def _kernel(function: Callable[..., None], size: Callable[[int, int], tuple[int, ...]]) -> Start:
    """Return the start of a kernel that takes addresses and a size."""

    def start(job: CodecJob) -> Run:
        assert job.out is not None
        x, format = job.x, job.format.index
        source = (SOURCES.index(x.dtype), True) if x.is_floating_point() else ()
        run = partial(function, format, *source, x.data_ptr(), *size(*job.shape))
        return partial(run, job.out.data_ptr(), get_num_threads())

    return start


def _count(rows: int, dim: int) -> tuple[int]:
    return (rows * dim,)


def _rows(rows: int, dim: int) -> tuple[int, int]:
    return rows, dim


OPS = {
    op.name: op
    for op in (
        Codec("encode", FLOATS, _call(mf.encode), _kernel(_C.encode, _count)),
        Codec("decode", (CODES,), _call(mf.decode), _kernel(_C.decode, _count)),
        Codec("encode_pack", FLOATS, _call(mf.encode_pack), _kernel(_C.encode_pack, _rows)),
        Codec("pack", (CODES,), _call(mf.pack), _kernel(_C.pack, _rows)),
        Codec("unpack", ("packed",), _call_unpack, _kernel(_C.unpack, _rows)),
    )
}
