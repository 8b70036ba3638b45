"""Float rows made packed rows."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from minifloat.arrays import RowsLike, as_rows, on_huge_pages
from minifloat.formats import FormatLike, as_format
from minifloat.ops.checks import check_values
from minifloat.vectors.packed import PackedVectors
from minifloat.vectors.scaling import amax, check_finite, scale_rows

_ops = torch.ops.minifloat

Scale = Literal["amax", "none"]

# Values that are scaled and encoded at once: on a CPU the copies stay in cache, elsewhere the
# device has enough to do.
_CHUNK_ON_CPU = 1 << 18
_CHUNK = 1 << 26


def quantize(
    x: RowsLike,
    format: FormatLike,
    *,
    scale: Scale = "amax",
    saturate: bool = True,
) -> PackedVectors:
    """Return the rows of x (rows, dim) in a format, nearest values with ties to even.

    With scale "amax" each row is first multiplied by F_max / E_max, the format's largest value
    over the row's largest magnitude (Kolmakov and Golubinskiy, 2026). Cosines do not change with
    a row's length, so the factor is not kept. With "none" values are taken as they are, and
    `saturate` says what becomes of those too large, as in `encode`.

    x is a tensor, an array, a list of rows, or a data frame or a column of rows (pandas, Polars,
    Arrow), which NumPy reads. Raises ValueError for a row that holds NaN or infinity, naming it.
    What `dequantize`, `scores` and `search` make of the rows is then as x is: tensors if x is one,
    else NumPy arrays.
    """
    f = as_format(format)
    from_numpy = not isinstance(x, Tensor)
    x = as_rows("x", x)
    if scale not in ("amax", "none"):
        raise ValueError(f"scale must be one of amax, none; got {scale!r}")
    _check_rows("x", x)
    rows, dim = x.shape
    shape = (rows, f.row_bytes(dim))
    codes = on_huge_pages(torch.empty(shape, dtype=torch.uint8, device=x.device))
    step = max(1, (_CHUNK_ON_CPU if x.device.type == "cpu" else _CHUNK) // dim)
    for first in range(0, rows, step):
        chunk = x[first : first + step]
        largest = amax(chunk)
        check_finite("x", largest, first)
        if scale == "amax":
            chunk = scale_rows(chunk, largest, f.max)
        codes[first : first + step] = _ops.encode_pack(chunk, f.name, saturate)
    norms = _ops.reciprocal_norms(codes, f.name, dim)
    return PackedVectors(codes, norms, f, dim, from_numpy=from_numpy)


def _check_rows(name: str, x: Tensor) -> None:
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape (rows, dim), dim at least 1; got {tuple(x.shape)}"
        )
    check_values(x)
