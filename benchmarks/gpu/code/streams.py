"""What a search by few queries issues for 512 bytes of packed rows that stream to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.gpu.code.machine_code import Kernel, Loop
from benchmarks.gpu.code.pipes import counted

# Of the rows that estimates are of.
DIM = 256
# What a warp multiplies at once.
_ROWS = 16
_PART_BYTES = 512

Figures = dict[str, float]


@dataclass(frozen=True)
class Stream:
    """A kernel, the bits of its codes, the bytes of a row in a chunk, and what it issued before."""

    format: str
    kernel: str
    bits: int
    chunk_bytes: int
    before: int | None

    @property
    def chunks(self) -> int:
        """Chunks of a row."""
        return -(-DIM * self.bits // 8 // self.chunk_bytes)

    @property
    def parts(self) -> float:
        """Parts of 512 bytes in what a warp multiplies at once."""
        return _ROWS * DIM * self.bits / 8 / _PART_BYTES


# Instructions before were those of blocks that copied for all warps, and of scalar merges of codes.
STREAMS = tuple(
    Stream(name, f"streamed_search_kernel<{index}, true, false>", bits, chunk_bytes, before)
    for index, (name, bits, chunk_bytes, before) in enumerate(
        [
            ("E5M2", 8, 64, 111),
            ("E4M3", 8, 64, None),
            ("E3M4", 8, 64, None),
            ("E3M2", 6, 192, 252),
            ("E2M3", 6, 192, 196),
            ("E2M1", 4, 64, 187),
        ]
    )
)


def recorded(found: Sequence[Kernel]) -> dict[str, Figures]:
    """Return what each of the kernels that are there issues for 512 bytes."""
    kernels = {kernel.name: kernel for kernel in found}
    return {
        stream.kernel: issued(stream, kernels[stream.kernel])
        for stream in STREAMS
        if stream.kernel in kernels
    }


def issued(stream: Stream, kernel: Kernel) -> Figures:
    """Return instructions, and half-rate ones, for 512 bytes: with all that belongs to rows.

    That is the way round the loop of chunks on which no row begins, for each of a row's; what is on
    the other, once; and the way round the loop of rows on which no match is kept.
    """
    of_rows, of_chunks = _loops(kernel)
    way, whole = counted(of_chunks.shortest), counted(of_chunks.own)
    between = counted(of_rows.shortest)
    figures = {}
    for name in ("issued", "half_rate"):
        each, all_of_it, rest = (one.of(1)[name] for one in (way, whole, between))
        total = stream.chunks * each + (all_of_it - each) + rest
        figures[name] = round(total / stream.parts, 1)
    return figures


def table(streams: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table, of figures as they are recorded."""
    yield f"| 1 to 8 queries, dim {DIM} | for {_PART_BYTES} bytes | half rate | before |"
    yield "|---|---|---|---|"
    for stream in STREAMS:
        figures = streams[stream.kernel]
        before = "-" if stream.before is None else str(stream.before)
        told = [f"{figures[name]:.0f}" for name in ("issued", "half_rate")]
        yield f"| {' | '.join([stream.format, *told, before])} |"


def _loops(kernel: Kernel) -> tuple[Loop, Loop]:
    """Return the loop of rows and that of chunks in it, which multiplies matrices."""
    for rows, chunks in product(kernel.loops, kernel.loops):
        is_within = chunks.depth == 1 and set(chunks.own) <= set(rows.instructions)
        if rows.depth == 0 and is_within and "matrix" in counted(chunks.own).pipes:
            return rows, chunks
    raise ValueError(f"{kernel.name} has no loop of chunks within one of rows")
