"""Operations on each value: what they read, and how they start in either scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, get_num_threads

import minifloat as mf
from benchmarks.cases import Case, Contender, Op, Rival, Run, Sizes, Work, checked
from benchmarks.limits import copies
from minifloat.ops.checks import SOURCES

DIM = 512
# A call allocates its result, and so pays for fresh pages; a kernel writes into memory in use.
SCOPES = ("call", "kernel")


@dataclass(frozen=True)
class Elementwise(Op):
    """How an operation on each value starts in either scope."""

    call: Start
    kernel: Start

    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> list[ElementwiseCase]:
        """Return a case for each number of values, in both scopes."""
        return [
            ElementwiseCase(self, format, source, values, scope)
            for values in sizes.values
            for scope in SCOPES
        ]


@dataclass(frozen=True)
class ElementwiseCase(Case):
    """An operation on so many values, in one scope."""

    op: Elementwise
    values: int
    scope: str

    limit = "copy"
    unit = "values"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Scope and values."""
        return {"scope": self.scope, "values": self.values}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dim: rows of DIM values, or one shorter row."""
        dim = min(self.values, DIM)
        return self.values // dim, dim

    @property
    def amount(self) -> float:
        """Values."""
        return self.values

    def job(self) -> Job:
        """Return the input, the answer, and memory to write it to."""
        x = make_input(self)
        # The public call tells what comes out; a clone of that is memory in use.
        expected = self.op.call(Job(self, x, x, x))()
        assert isinstance(expected, Tensor)
        return Job(self, x, expected.clone(), expected)

    def prepare(self, rivals: Sequence[Rival[Any]]) -> Work:
        """Return all that is to be timed; the bytes are those read and written."""
        job = self.job()
        run = self.op.call(job) if job.allocates else self.op.kernel(job)
        moved = job.x.nbytes + job.expected.nbytes
        return Work(job, Contender(run), copies(moved), None, checked(rivals, self, job), moved)


@dataclass(frozen=True)
class Job:
    """The input of a case, memory already in use for what comes out of it, and what must."""

    case: ElementwiseCase
    x: Tensor
    out: Tensor
    expected: Tensor

    @property
    def allocates(self) -> bool:
        """Whether the result is new memory, and `out` is left alone."""
        return self.case.scope == "call"


# Makes a job ready: what is prepared in it is not timed, what it returns is.
Start = Callable[[Job], Run]


def make_call(function: Callable[..., Tensor]) -> Start:
    """Return the start of a public call that takes the input and a format."""
    return lambda job: partial(function, job.x, job.case.format)


def call_unpack(job: Job) -> Run:
    """Return the public call of unpack, ready to run."""
    return partial(mf.unpack, job.x, job.case.format, job.case.shape[1])


def make_kernel(
    function: Callable[..., None], size: Callable[[ElementwiseCase], tuple[int, ...]]
) -> Start:
    """Return the start of a kernel that takes addresses and a size."""

    def start(job: Job) -> Run:
        x, format = job.x, job.case.format.index
        source = (SOURCES.index(x.dtype), True) if x.is_floating_point() else ()
        run = partial(function, format, *source, x.data_ptr(), *size(job.case))
        return partial(run, job.out.data_ptr(), get_num_threads())

    return start


def make_input(case: ElementwiseCase) -> Tensor:
    """Return what the case reads: normal values that fill the format's range, or their codes.

    The values are finite, in range, and exact in float32 where the source is float64: there all
    packages that round to nearest even give the same codes.
    """
    limit = case.format.max
    x = torch.randn(case.shape, generator=torch.Generator().manual_seed(0))
    x.mul_(limit / 4).clamp_(-limit, limit)
    if case.source == "codes":
        return mf.encode(x, case.format)
    if case.source == "packed":
        return mf.encode_pack(x, case.format)
    dtype: torch.dtype = getattr(torch, case.source)
    return x.to(dtype)
