"""Files of packed vectors: written in one step, mapped or read, and proven."""

from __future__ import annotations

import os
import warnings
import zlib
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.files import checksums, norms
from minifloat.files.checksums import Checksums, Span
from minifloat.files.headers import DTYPES, VERSION, Layout, header, opened
from minifloat.files.mapping import mapped, refuse_changes
from minifloat.files.replacing import replacing
from minifloat.formats import Format
from minifloat.threads import in_threads

# One read of gigabytes into new memory takes several times as long as many of this size.
_AT_ONCE = 1 << 23


def save(
    path: str | Path, codes: Tensor, reciprocal_norms: Tensor, format: Format, dim: int
) -> None:
    """Write a file beside `path`, then move it there, so that no half file is ever seen."""
    refuse_changes(codes, reciprocal_norms)
    given = {"codes": codes, "reciprocal_norms": reciprocal_norms}
    tensors = {name: given[name].detach().cpu().contiguous() for name in DTYPES}
    norms.refuse_impossible(f"{path} cannot be written", tensors["reciprocal_norms"], format, dim)
    seed, block_rows = checksums.seed(format, dim, len(codes)), checksums.block_rows(*codes.shape)
    blocks = checksums.blocks(len(codes), block_rows)
    facts = {"format": format.name, "dim": str(dim), "version": VERSION}
    # How long the sums are is known before they are.
    none = Checksums(block_rows, dict.fromkeys(tensors, [0] * len(blocks)))
    _, starts = header(tensors, facts | none.metadata())
    parts = [
        (checksums.as_bytes(tensor), start, tensor[:1].nbytes)
        for tensor, start in zip(tensors.values(), starts, strict=True)
    ]
    with replacing(path) as file:

        def write(rows: Span) -> list[int]:
            first, end = rows
            sums = []
            for data, start, width in parts:
                block = data[first:end]
                _write(file, block, start + first * width)
                sums.append(zlib.crc32(block, seed))
            return sums

        sums = in_threads(write, blocks)
        of = {name: [block[i] for block in sums] for i, name in enumerate(tensors)}
        whole, _ = header(tensors, facts | Checksums(block_rows, of).metadata())
        _write(file, memoryview(whole), 0)


def load(path: str | Path, *, mmap: bool, verify: bool) -> tuple[Tensor, Tensor, Format, int]:
    """Return the codes, the reciprocal norms, the format and the dim of a file."""
    codes, reciprocal_norms, layout = _load(path, mmap)
    if verify and not _prove(path, codes, reciprocal_norms, layout):
        warnings.warn(
            f"{path} has no checksums: its reciprocal norms are those of its codes, but damage "
            "that keeps them, such as another sign, would not be seen; save it anew",
            stacklevel=3,
        )
    return codes, reciprocal_norms, layout.format, layout.dim


def verify(path: str | Path) -> bool:
    """Return whether a file has checksums; raise ValueError if it is damaged."""
    return _prove(path, *_load(path, mmap=True))


def _load(path: str | Path, mmap: bool) -> tuple[Tensor, Tensor, Layout]:
    with opened(path) as (file, layout):
        if mmap:
            whole = mapped(path, file)
            parts = {name: whole[first:end] for name, (first, end) in layout.places.items()}
        else:
            parts = {name: _read(path, file, place) for name, place in layout.places.items()}
    codes, floats = parts["codes"], parts["reciprocal_norms"]
    # Other writers may put them anywhere.
    aligned = floats.clone() if floats.storage_offset() % 4 else floats
    reciprocal_norms = aligned.view(torch.float32)
    norms.refuse_impossible(f"{path} is damaged", reciprocal_norms, layout.format, layout.dim)
    refuse_changes(codes)
    return codes.view(layout.rows, layout.format.row_bytes(layout.dim)), reciprocal_norms, layout


def _prove(path: str | Path, codes: Tensor, reciprocal_norms: Tensor, layout: Layout) -> bool:
    """Raise ValueError for the first rows that are damaged; return whether there are checksums."""
    format, dim, sums = layout.format, layout.dim, layout.sums
    if sums is None:
        row = norms.first_wrong(codes, reciprocal_norms, format, dim)
        if row is not None:
            raise ValueError(
                f"{path} is damaged: row {row} has reciprocal norm "
                f"{float(reciprocal_norms[row]):g}, which is not that of its codes"
            )
        refuse_changes(codes)
        return False
    seed = checksums.seed(format, dim, layout.rows)
    blocks = checksums.blocks(layout.rows, sums.block_rows)
    tensors = {"codes": codes, "reciprocal_norms": reciprocal_norms}
    parts = {name: checksums.as_bytes(tensor) for name, tensor in tensors.items()}

    def sum_of(rows: Span) -> dict[str, int]:
        return {name: zlib.crc32(part[slice(*rows)], seed) for name, part in parts.items()}

    found = in_threads(sum_of, blocks)
    refuse_changes(codes)
    damaged = [
        (rows, [name for name in tensors if sums_of_block[name] != sums.of[name][index]])
        for index, (rows, sums_of_block) in enumerate(zip(blocks, found, strict=True))
    ]
    damaged = [(rows, names) for rows, names in damaged if names]
    if damaged:
        (first, end), names = damaged[0]
        row = norms.first_wrong(codes[first:end], reciprocal_norms[first:end], format, dim)
        which = (
            "no norm tells which"
            if row is None
            else f"the first whose norm is not that of its codes is row {first + row}"
        )
        rows = f"rows {first} to {end - 1}" if end > first + 1 else f"row {first}"
        raise ValueError(
            f"{path} is damaged: the {' and '.join(names)} of {rows} have "
            f"another CRC-32 than the file says, {which}; {len(damaged)} of {len(blocks)} blocks "
            "of rows are damaged"
        )
    return True


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
