"""What formats, types and contiguous tensors are to kernels that take numbers and addresses."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor

from minifloat import _C
from minifloat.formats import FORMATS, as_format
from minifloat.ops.checks import SOURCES
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection, Sides


class _Indices(dict[str, int]):
    """The numbers of formats by the names that operators get; ValueError for what is none.

    A call of the codec waits for what finds it.
    """

    def __missing__(self, name: str) -> int:
        return as_format(name).index


FORMAT = _Indices({f.name: f.index for f in FORMATS})
SOURCE = {dtype: index for index, dtype in enumerate(SOURCES)}


def shape(x: Tensor) -> tuple[int, int]:
    """Return how many rows there are along the last dimension, and its size, which may be 0."""
    sizes = x.shape
    return sizes[:-1].numel(), sizes[-1]


def value_rows(x: Tensor) -> _C.ValueRows:
    """Return rows of values (rows, dim), each in one piece, as the CPU's kernels take them."""
    rows, dim = x.shape
    return _C.ValueRows(x.data_ptr(), x.stride(0) * x.element_size(), rows, dim)


def sides_of(kernels: Any, sides: Sides) -> Any:
    """Return contiguous sides as the kernels of a module take them."""
    a, b, format, dim = sides
    make, (queries, rows) = kernels.Rows, sides.shape
    of_a = (a.data.data_ptr(), a.norms.data_ptr(), queries, a.is_packed)
    of_b = (b.data.data_ptr(), b.norms.data_ptr(), rows, True)
    x, y = a.coordinates, b.coordinates
    if x is None or y is None:
        return kernels.Sides(FORMAT[format], dim, make(*of_a), make(*of_b))
    in_frame = make(*of_a, x.data_ptr(), x.shape[1]), make(*of_b, y.data_ptr(), y.shape[1])
    return kernels.Sides(FORMAT[format], dim, *in_frame)


def best_of(kernels: Any, asked: Best) -> Any:
    """Return a search of contiguous rows as the kernels of a module take it."""
    sides, selection = sides_of(kernels, asked.sides), selection_of(kernels, asked.selection)
    return kernels.Best(sides, selection, asked.k)


def selection_of(kernels: Any, selection: Selection) -> Any:
    """Return which rows take part, contiguous, as the kernels of a module take it."""
    mask, ranges = selection
    if mask is None and ranges is None:
        return _every_row(kernels)
    return kernels.Selection(
        None if mask is None else mask.data_ptr(),
        None if ranges is None else ranges.data_ptr(),
        0 if ranges is None else len(ranges),
    )


@cache
def _every_row(kernels: Any) -> Any:
    """Return the selection of all rows, made once: small searches wait for what is made."""
    return kernels.Selection(None, None, 0)
