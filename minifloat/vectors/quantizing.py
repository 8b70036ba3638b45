"""Float rows made packed rows."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from minifloat.arrays import RowsLike, as_rows
from minifloat.formats import FormatLike, as_format
from minifloat.vectors.packed import PackedVectors

_ops = torch.ops.minifloat

Scale = Literal["amax", "none"]


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
    codes, norms = _ops.quantize(x.detach(), f.name, scale == "amax", saturate)
    return PackedVectors(codes, norms, f, x.shape[1], from_numpy=from_numpy)
