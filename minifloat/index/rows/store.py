"""Rows of an index in memory: one range of addresses, which files are mapped into."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minifloat import _C
from minifloat.files import storage
from minifloat.files.headers import BESIDE, PAGE, opened
from minifloat.index.rows.kinds import Kind
from minifloat.vectors import PackedVectors

# Files hold whole multiples of so many rows, whose tensors are whole pages then.
UNIT = 4096

# What is reserved takes no memory. Where a system gives less, rows move as they become more.
_RESERVED = 1 << 40
_LEAST_ROWS = 1 << 16


class Store:
    """What is kept of each row, by its position: written once, and read by snapshots meanwhile.

    Fields: those of packed rows; rows, the numbers that rows keep for ever, which ascend; and ids,
    where they are integers. Each is a tensor (capacity, ...), of which `count` rows are there.
    """

    def __init__(self, kind: Kind, least: int = 0) -> None:
        self.kind, self.count = kind, 0
        of_each = kind.fields() | dict.fromkeys(BESIDE, (torch.int64, ()))
        widths = {
            name: torch.empty(1, *shape, dtype=of).nbytes for name, (of, shape) in of_each.items()
        }
        whole = sum(widths.values())
        self.capacity = _RESERVED // whole // UNIT * UNIT
        try:
            if least > self.capacity:
                raise MemoryError
            self._reserved = _C.Reserved(self.capacity * whole)
        except MemoryError:
            self.capacity = -(-max(least, _LEAST_ROWS) // UNIT) * UNIT
            self._reserved = _C.Reserved(self.capacity * whole)
        self.fields, self._begins, begin = {}, {}, 0
        for name, (dtype, shape) in of_each.items():
            bytes = torch.frombuffer(
                self._reserved, dtype=torch.uint8, count=self.capacity * widths[name], offset=begin
            )
            _C.prefer_huge_pages(bytes.data_ptr(), bytes.nbytes)
            self.fields[name] = bytes.view(dtype).view(self.capacity, *shape)
            self._begins[name] = begin
            begin += bytes.nbytes

    def append(self, fields: dict[str, Tensor], count: int | None = None) -> Store:
        """Put rows after those that are there, or after the first `count`; return where all are."""
        count, rows = self.count if count is None else count, len(fields["rows"])
        store = self if count + rows <= self.capacity else self._larger(count, rows)
        for name, of_each in fields.items():
            store.fields[name][count : count + rows] = of_each
        store.count = count + rows
        return store

    def append_file(self, path: Path, rows: int, first: int, end: int) -> Store:
        """Put rows of a file of so many, from one to another, after those that are there.

        Their pages are mapped where they can be, and else copied.
        """
        more = end - first
        if self.count + more <= self.capacity and self._map(path, rows, first, end):
            self.count += more
            return self
        fields = fields_of(path, self.kind, rows)
        return self.append({name: of_each[first:end] for name, of_each in fields.items()})

    def vectors(self, count: int) -> PackedVectors:
        """Return the first rows."""
        return self.kind.vectors({name: of_each[:count] for name, of_each in self.fields.items()})

    def positions(self, rows: Tensor, count: int) -> Tensor:
        """Return where rows are, by their numbers; -1 for those that are not."""
        known = self.fields["rows"][:count]
        found = torch.searchsorted(known, rows).clamp(max=max(0, count - 1))
        if not count:
            return torch.full_like(rows, -1)
        return torch.where(known[found] == rows, found, -1)

    def some(self, positions: Any) -> dict[str, Tensor]:
        """Return what is kept of some rows, copied."""
        if isinstance(positions, slice):
            return {name: of_each[positions].clone() for name, of_each in self.fields.items()}
        return {name: of_each[: self.count][positions] for name, of_each in self.fields.items()}

    def _larger(self, count: int, more: int) -> Store:
        store = Store(self.kind, max(count + more, 2 * self.capacity))
        return store.append({name: of_each[:count] for name, of_each in self.fields.items()})

    def _map(self, path: Path, rows: int, first: int, end: int) -> bool:
        """Map some rows behind those that are there, if they are whole pages; return if so."""
        if mmap.PAGESIZE > PAGE or rows % UNIT or first % UNIT or end % UNIT or self.count % UNIT:
            return False
        with opened(path) as (file, layout):
            check_layout(path, layout.format.name, layout.dim, layout.rows, self.kind, rows)
            places = {name: at for name, at in layout.places.items() if name in self.fields}
            if any(begin % PAGE for begin, _ in places.values()):
                return False
            for name, (begin, stop) in places.items():
                width = (stop - begin) // rows
                at = self._begins[name] + self.count * width
                begin, bytes = begin + first * width, (end - first) * width
                error = _C.map_file(self._reserved, file.fileno(), begin, at, bytes)
                if error:
                    raise OSError(error, os.strerror(error), str(path))
        return True


def fields_of(path: Path, kind: Kind, rows: int) -> dict[str, Tensor]:
    """Return what a file holds of each row; ValueError for another file than it should be."""
    stored = storage.load(path, mmap=True, verify=False)
    check_layout(path, stored.format.name, stored.dim, len(stored.codes), kind, rows)
    of_each = {name: getattr(stored, name) for name in kind.fields()}
    return of_each | dict(stored.beside)


def check_layout(path: Path, format: str, dim: int, rows: int, kind: Kind, wanted: int) -> None:
    """Raise ValueError for a file of other rows than the catalog says."""
    if (format, dim, rows) != (kind.format.name, kind.dim, wanted):
        raise ValueError(
            f"{path} is damaged: it holds {rows} rows of dim {dim} in {format}, and by the "
            f"catalog {wanted} of dim {kind.dim} in {kind.format}"
        )
