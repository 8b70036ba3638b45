"""Files of packed vectors: written in one step, mapped or read, and proven."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.files import checksums
from minifloat.files.checksums import Checksums, Span
from minifloat.files.headers import BESIDE, DTYPES, PAGE, Layout, facts, header, opened
from minifloat.files.mapping import mapped, refuse_changes
from minifloat.files.proving import prove
from minifloat.files.replacing import replacing
from minifloat.files.stored import Stored
from minifloat.threads import in_threads

# One read of gigabytes into new memory takes several times as long as many of this size.
_AT_ONCE = 1 << 23

# Bytes that are proven in one step.
_PROVEN = 1 << 26


def save(path: str | Path, stored: Stored, *, sync: bool = False) -> None:
    """Write a file beside `path`, then move it there, so that no half file is ever seen.

    What an index keeps beside its rows has it lie on whole pages, if rows are many enough. With
    sync the file is on the disk when this returns.
    """
    codes, _, format, dim, estimator, frame, *more, beside = stored
    known = [codes, stored.reciprocal_norms, *more]
    refuse_changes(*[of_each for of_each in known if of_each is not None])
    tensors = stored.tensors()
    if beside and frame is not None:
        # Of all tensors it alone has nothing of each row.
        tensors["frame_axes"] = tensors.pop("frame_axes")
    unit = PAGE if beside else 8
    on_cpu = stored._replace(
        reciprocal_norms=tensors["reciprocal_norms"], coordinates=tensors.get("coordinates")
    )
    on_cpu.refuse_impossible(f"{path} cannot be written")
    digest = "" if frame is None else frame.digest
    seed = checksums.seed(format, dim, len(codes), estimator, digest)
    block_rows = checksums.block_rows(*codes.shape)
    blocks = checksums.blocks(len(codes), block_rows)
    said = facts(format, dim, estimator, frame)
    summed = checksums.of_each(tensors)
    # How long the sums are is known before they are.
    none = Checksums(block_rows, dict.fromkeys(summed, [0] * len(blocks)))
    _, starts = header(tensors, said | none.metadata(), unit)
    parts = {
        name: (checksums.as_bytes(tensor), start, tensor[:1].nbytes)
        for (name, tensor), start in zip(tensors.items(), starts, strict=True)
    }
    with replacing(path, sync=sync) as file:

        def write(rows: Span) -> list[int]:
            first, end = rows
            sums = []
            for data, start, width in (parts[name] for name in summed):
                block = data[first:end]
                _write(file, block, start + first * width)
                sums.append(zlib.crc32(block, seed))
            return sums

        sums = in_threads(write, blocks)
        of = {name: [block[i] for block in sums] for i, name in enumerate(summed)}
        whole, _ = header(tensors, said | Checksums(block_rows, of).metadata(), unit)
        _write(file, memoryview(whole), 0)
        if frame is not None:
            data, start, _ = parts["frame_axes"]
            _write(file, data, start)


def load(path: str | Path, *, mmap: bool, verify: bool) -> Stored:
    """Return what a file holds."""
    stored, layout = _load(path, mmap)
    if verify and not prove(path, stored, layout):
        warnings.warn(
            f"{path} has no checksums: its reciprocal norms are those of its codes, but damage "
            "that keeps them, such as another sign, would not be seen; save it anew",
            stacklevel=3,
        )
    return stored


def verify(path: str | Path) -> bool:
    """Return whether a file has checksums; raise ValueError if it is damaged."""
    return prove(path, *_load(path, mmap=True))


def verify_some(path: str | Path, first: int, end: int) -> Iterator[int]:
    """Yield the bytes of rows from one to another, step by step, after they have been proven.

    Raises ValueError for the first that are damaged. A file without checksums is but read.
    """
    stored, layout = _load(path, mmap=True, some=(first, end))
    width = sum(tensor[:1].nbytes for tensor in stored.tensors().values())
    block = layout.sums.block_rows if layout.sums else _AT_ONCE // width
    step = max(1, _PROVEN // width // block) * block
    for begin in range(first // block * block, end, step):
        some = begin, min(begin + step, layout.rows)
        prove(path, stored, layout, some)
        yield (min(some[1], end) - max(begin, first)) * width


def load_some(path: str | Path, first: int, end: int) -> Stored:
    """Return rows of a file from one to another, mapped; no others are read."""
    return _load(path, mmap=True, some=(first, end))[0].rows(first, end)


def _load(path: str | Path, mmap: bool, some: Span | None = None) -> tuple[Stored, Layout]:
    """Return what a file holds; of some of its rows alone it is known that they can be."""
    with opened(path) as (file, layout):
        if mmap:
            whole = mapped(path, file)
            parts = {name: whole[first:end] for name, (first, end) in layout.places.items()}
        else:
            parts = {name: _read(path, file, place) for name, place in layout.places.items()}
    codes = parts["codes"]
    floats = {
        name: _aligned(part, 4).view(torch.float32)
        for name, part in parts.items()
        if DTYPES[name] == "F32"
    }
    frame = coordinates = None
    if layout.frame is not None:
        try:
            frame = layout.frame.frame(floats["frame_axes"].reshape(-1, layout.dim).clone())
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        coordinates = floats["coordinates"].view(layout.rows, len(frame.axes))
    stored = Stored(
        codes.view(layout.rows, layout.format.row_bytes(layout.dim)),
        floats["reciprocal_norms"],
        layout.format,
        layout.dim,
        layout.estimator,
        frame,
        coordinates,
        parts.get("errors"),
        {name: _aligned(parts[name], 8).view(torch.int64) for name in BESIDE if name in parts},
    )
    if some is None:
        stored.refuse_impossible(f"{path} is damaged")
    else:
        stored.rows(*some).refuse_impossible(f"{path} is damaged, counted from row {some[0]}")
    refuse_changes(codes)
    return stored, layout


def _aligned(part: Tensor, size: int) -> Tensor:
    """Return bytes as numbers of a size can be read; other writers may put them anywhere."""
    return part.clone() if part.storage_offset() % size else part


def _read(path: str | Path, file: FileIO, place: Span) -> Tensor:
    """Return bytes of a file in memory of their own."""
    begin, end = place
    whole = on_huge_pages(torch.empty(end - begin, dtype=torch.uint8))
    left, at = whole.numpy().data, begin
    while left:
        count = os.preadv(file.fileno(), [left[:_AT_ONCE]], at)
        if not count:
            raise ValueError(
                f"{path} was cut short while it was read: it ends at byte {at} and had at "
                f"least {end} bytes; load it again"
            )
        left, at = left[count:], at + count
    return whole


def _write(file: int, data: memoryview, at: int) -> None:
    left = data.cast("B") if data.nbytes else data
    while left.nbytes:
        count = os.pwrite(file, left, at)
        left, at = left[count:], at + count
