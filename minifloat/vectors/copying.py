"""Copies of rows, piece by piece: a signal ends a long one, and a mapped file is looked at anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.files.mapping import refuse_changes

# Bytes between two looks, some hundredths of a second apart.
_AT_ONCE = 1 << 26


def copied(source: Tensor, device: torch.device | str, *, pin: bool = False) -> Tensor:
    """Return the same rows in other memory, page-locked if wanted."""
    new = torch.empty(source.shape, dtype=source.dtype, device=device, pin_memory=pin)
    _fill(new, [source])
    return new


@contextmanager
def fitting(what: object, device: torch.device | str) -> Iterator[None]:
    """Raise torch.OutOfMemoryError that says what can be done where rows do not fit on a device."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise torch.OutOfMemoryError(
            f"{what} does not fit on {device}; search with queries there takes it from main "
            f"memory, block by block: {error}"
        ) from error


def alone(rows: Tensor) -> Tensor:
    """Return the same rows in memory in which there is nothing else."""
    is_alone = rows.untyped_storage().nbytes() == rows.nbytes
    return rows if is_alone else copied(rows, rows.device)


def joined(parts: Iterable[Tensor]) -> Tensor:
    """Return the rows of all parts, which are on one device, one part after the other."""
    parts = list(parts)
    rows = sum(map(len, parts))
    new = torch.empty((rows, *parts[0].shape[1:]), dtype=parts[0].dtype, device=parts[0].device)
    _fill(on_huge_pages(new), parts)
    return new


def picked(source: Tensor, rows: Tensor) -> Tensor:
    """Return the rows of some numbers."""
    refuse_changes(source)
    step = _step(source)
    if len(rows) <= step:
        return source[rows]
    new = torch.empty((len(rows), *source.shape[1:]), dtype=source.dtype, device=source.device)
    on_huge_pages(new)
    for first in range(0, len(rows), step):
        refuse_changes(source)
        new[first : first + step] = source[rows[first : first + step]]
    return new


def _fill(new: Tensor, parts: Iterable[Tensor]) -> None:
    begin = 0
    for part in parts:
        step = _step(part)
        for first in range(0, len(part), step):
            refuse_changes(part)
            piece = part[first : first + step]
            new[begin + first : begin + first + len(piece)].copy_(piece)
        begin += len(part)


def _step(rows: Tensor) -> int:
    return max(1, _AT_ONCE // max(1, rows[:1].nbytes))
