"""Rows that are multiplied, and which of them take part: the parts of requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from minifloat.formats import as_format
from minifloat.ops.checks import check_device, check_packed, name_of


class Rows(NamedTuple):
    """Rows, packed or in their lane, and the reciprocals of their norms: float32, (rows,).

    All that is known of a row, for each row. Those in a frame have coordinates along its axes too,
    float32, (rows, axes), and what is packed or in the lane is the rest of them.
    """

    data: Tensor
    norms: Tensor
    coordinates: Tensor | None = None

    @property
    def is_packed(self) -> bool:
        """Whether they are packed."""
        return self.data.dtype == torch.uint8

    def check(self, name: str) -> None:
        """Raise ValueError where something is not of each row, or on another device."""
        data, norms, coordinates = self
        shape = data.shape
        if len(shape) != 2:
            raise ValueError(f"{name} must have 2 dimensions; got {len(shape)}")
        if norms.dtype != torch.float32 or norms.shape != shape[:1]:
            raise ValueError(
                f"{name}_norms must be float32 of shape ({shape[0]},); "
                f"got {name_of(norms.dtype)} of shape {tuple(norms.shape)}"
            )
        if norms.device != data.device:
            check_device(f"{name}_norms", norms, data.device)
        if coordinates is None:
            return
        if coordinates.dtype != torch.float32 or coordinates.shape[:-1] != shape[:1]:
            raise ValueError(
                f"{name}_coordinates must be float32 of shape ({shape[0]}, axes); "
                f"got {name_of(coordinates.dtype)} of shape {tuple(coordinates.shape)}"
            )
        check_device(f"{name}_coordinates", coordinates, data.device)

    @property
    def axes(self) -> int:
        """How many coordinates each has."""
        return 0 if self.coordinates is None else self.coordinates.shape[1]

    def some(self, which: slice | Tensor) -> Rows:
        """Return some of them, by a slice or by their numbers."""
        return self._each(lambda of_each: of_each[which])

    def to(self, device: torch.device) -> Rows:
        """Return the same on a device."""
        return self._each(lambda of_each: of_each.to(device))

    def contiguous(self) -> Rows:
        """Return the same in memory without gaps."""
        data, norms, coordinates = self
        in_pieces = coordinates is not None and not coordinates.is_contiguous()
        if in_pieces or not data.is_contiguous() or not norms.is_contiguous():
            return self._each(Tensor.contiguous)
        return self

    def _each(self, change: Callable[[Tensor], Tensor]) -> Rows:
        """Return what a function makes of each tensor."""
        data, norms, coordinates = self
        return Rows(
            change(data), change(norms), None if coordinates is None else change(coordinates)
        )


class Sides(NamedTuple):
    """Rows that are multiplied: a, packed or in their lane, by b, which is packed."""

    a: Rows
    b: Rows
    format: str
    dim: int

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are of a and of b."""
        return self.a.data.shape[0], self.b.data.shape[0]

    def check(self) -> None:
        """Raise TypeError or ValueError for rows that do not go together."""
        a, b, format, dim = self.a.data, self.b.data, self.format, self.dim
        if a.dtype == torch.uint8 or a.dtype != element_dtype(format):
            check_packed("a", a, format, dim)
        elif a.ndim != 2 or a.shape[1] != dim:
            raise ValueError(f"queries must have shape (rows, {dim}); got {tuple(a.shape)}")
        check_packed("b", b, format, dim)
        if dim < 1:
            raise ValueError(f"dim must be at least 1; got {dim}")
        check_device("a", a, b.device)
        self.a.check("a")
        self.b.check("b")
        if self.a.coordinates is not self.b.coordinates and self.a.axes != self.b.axes:
            raise ValueError(
                f"both sides must have as many coordinates; got {self.a.axes} of each row of a "
                f"and {self.b.axes} of b"
            )

    def contiguous(self) -> Sides:
        """Return the same in memory without gaps."""
        a, b = self.a.contiguous(), self.b.contiguous()
        return self if a is self.a and b is self.b else self._replace(a=a, b=b)

    def of_some(self, which: slice | Tensor) -> Sides:
        """Return all rows of a, and some of b."""
        return Sides(self.a, self.b.some(which), self.format, self.dim)


class Selection(NamedTuple):
    """Rows of b that take part in a search: all, or some.

    Those for which the bool mask (b,) holds and that lie in one of the int64 ranges (n, 2), which
    ascend and do not meet.
    """

    mask: Tensor | None = None
    ranges: Tensor | None = None

    def check(self, b: Tensor) -> None:
        """Raise ValueError for a mask or ranges of other rows, or of another kind."""
        mask, ranges = self
        if mask is not None:
            if mask.dtype != torch.bool or mask.shape != b.shape[:1]:
                raise ValueError(
                    f"mask must be bool of shape ({b.shape[0]},); "
                    f"got {name_of(mask.dtype)} of shape {tuple(mask.shape)}"
                )
            check_device("mask", mask, b.device)
        if ranges is not None:
            if ranges.dtype != torch.int64 or ranges.ndim != 2 or ranges.shape[1] != 2:
                raise ValueError(
                    f"ranges must be int64 of shape (n, 2); "
                    f"got {name_of(ranges.dtype)} of shape {tuple(ranges.shape)}"
                )
            check_device("ranges", ranges, b.device)

    def check_ranges(self, rows: int) -> None:
        """Raise ValueError for ranges that so many rows do not have."""
        if self.ranges is None:
            return
        # Each end and what follows it: 0 <= begin <= end <= next begin <= ... <= rows.
        ends = self.ranges.new_zeros(1), self.ranges.new_full((1,), rows)
        edges = torch.cat([ends[0], self.ranges.flatten(), ends[1]])
        wrong = (edges[1:] < edges[:-1]).nonzero()
        if len(wrong):
            first, last = (int(edges[int(wrong[0]) + i]) for i in (0, 1))
            raise ValueError(
                f"ranges must ascend within 0..{rows} and not overlap; got {last} after {first}"
            )

    def count(self, rows: int) -> int:
        """Return how many of so many rows take part; waits for a device."""
        if self.mask is not None:
            return sum(int(self.mask[begin:end].count_nonzero()) for begin, end in self.spans(rows))
        return sum(end - begin for begin, end in self.spans(rows))

    def check_values(self, rows: int, k: int) -> None:
        """Raise ValueError for ranges that no such rows have, or where k rows do not take part."""
        self.check_ranges(rows)
        if self.mask is None and self.ranges is None:
            return
        count = self.count(rows)
        if count == 0:
            raise ValueError(f"mask and ranges leave none of {rows} rows to find; got k = {k}")
        if k > count:
            raise ValueError(f"k must be in 1..{count}, the rows that take part; got {k}")

    def spans(self, rows: int) -> list[list[int]]:
        """Return the ranges, or the one of all rows: first row, and the one after the last."""
        found: list[list[int]] = [[0, rows]] if self.ranges is None else self.ranges.tolist()
        return found

    def contiguous(self) -> Selection:
        """Return the same in memory without gaps."""
        if self.mask is None and self.ranges is None:
            return self
        return Selection(*[None if part is None else part.contiguous() for part in self])

    def within(self, first: int, end: int) -> Selection:
        """Return the same of rows from one to another, counted from the first."""
        return Selection(
            None if self.mask is None else self.mask[first:end],
            None if self.ranges is None else (self.ranges - first).clamp(0, end - first),
        )


def element_dtype(format: str) -> torch.dtype:
    """Return the dtype of rows in their lane: int16 holds both integer lanes."""
    return torch.float32 if as_format(format).lane == "float" else torch.int16
