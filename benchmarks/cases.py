"""What is measured: the registry of operations, and the cases they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, get_num_threads

import minifloat as mf
from minifloat import _C, ops

DIM = 512
FLOATS = tuple(str(dtype).removeprefix("torch.") for dtype in ops.SOURCES)
# A call allocates its result, and so pays for fresh pages; a kernel writes into memory in use.
SCOPES = ("call", "kernel")

Run = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One operation on one input; `source` is the dtype of values, or "codes" or "packed"."""

    op: Op
    format: mf.Format
    source: str
    values: int
    scope: str

    def __str__(self) -> str:
        """Return the case in words."""
        return (
            f"{self.op.name} {self.format} from {self.source}, {self.values} values, {self.scope}"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dim: rows of DIM values, or one shorter row."""
        dim = min(self.values, DIM)
        return self.values // dim, dim


@dataclass(frozen=True)
class Job:
    """The input of a case, and memory already in use for what comes out of it."""

    case: Case
    x: Tensor
    out: Tensor

    @property
    def allocates(self) -> bool:
        """Whether the result is new memory, and `out` is left alone."""
        return self.case.scope == "call"


# Makes a job ready: what is prepared in it is not timed, what it returns is.
Start = Callable[[Job], Run]


@dataclass(frozen=True)
class Op:
    """A name, what it can read, and how it starts in either scope."""

    name: str
    sources: tuple[str, ...]
    call: Start
    kernel: Start


def _call(function: Callable[..., Tensor]) -> Start:
    return lambda job: partial(function, job.x, job.case.format)


def _kernel(function: Callable[..., None], size: Callable[[Case], tuple[int, ...]]) -> Start:
    def start(job: Job) -> Run:
        x, format = job.x, job.case.format.index
        source = (ops.SOURCES.index(x.dtype), True) if x.is_floating_point() else ()
        run = partial(function, format, *source, x.data_ptr(), *size(job.case))
        return partial(run, job.out.data_ptr(), get_num_threads())

    return start


def _count(case: Case) -> tuple[int, ...]:
    return (case.values,)


def _rows(case: Case) -> tuple[int, ...]:
    return case.shape


def _unpack(job: Job) -> Run:
    return partial(mf.unpack, job.x, job.case.format, job.case.shape[1])


OPS = (
    Op("encode", FLOATS, _call(mf.encode), _kernel(_C.encode, _count)),
    Op("decode", ("codes",), _call(mf.decode), _kernel(_C.decode, _count)),
    Op("encode_pack", FLOATS, _call(mf.encode_pack), _kernel(_C.encode_pack, _rows)),
    Op("pack", ("codes",), _call(mf.pack), _kernel(_C.pack, _rows)),
    Op("unpack", ("packed",), _unpack, _kernel(_C.unpack, _rows)),
)


def cases(
    chosen: Sequence[Op], formats: Sequence[mf.Format], sources: Sequence[str], sizes: Sequence[int]
) -> list[Case]:
    """Return every case of the choices; `sources` are for operations that read values."""
    return [
        Case(op, format, source, values, scope)
        for op in chosen
        for format in formats
        for source in (sources if op.sources is FLOATS else op.sources)
        for values in sizes
        for scope in SCOPES
    ]


def make_input(case: Case) -> Tensor:
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
