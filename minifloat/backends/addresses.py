"""Arguments of kernels that take addresses: what contiguous tensors and formats are to them."""

from __future__ import annotations

from torch import Tensor

from minifloat.formats import as_format
from minifloat.ops.checks import SOURCES
from minifloat.ops.rows import Sides

_SOURCE_INDEX = {dtype: index for index, dtype in enumerate(SOURCES)}


def encoder(x: Tensor, format: str, saturate: bool) -> tuple[int, int, bool, int]:
    """Return what every encoder begins with: format, source, saturate, values."""
    return as_format(format).index, _SOURCE_INDEX[x.dtype], saturate, x.data_ptr()


def shape(x: Tensor) -> tuple[int, int]:
    """Return how many rows there are along the last dimension, and its size, which may be 0."""
    return x.shape[:-1].numel(), x.shape[-1]


def address(x: Tensor | None) -> int:
    """Return where a tensor lies; 0 where there is none."""
    return 0 if x is None else x.data_ptr()


def products(sides: Sides) -> tuple[int, int, int, bool, int, int, int, int, int]:
    """Return what every product of contiguous rows begins with."""
    a, b, format, dim = sides
    queries, rows = sides.shape
    return (
        as_format(format).index,
        dim,
        a.data.data_ptr(),
        a.is_packed,
        a.norms.data_ptr(),
        queries,
        b.data.data_ptr(),
        b.norms.data_ptr(),
        rows,
    )
