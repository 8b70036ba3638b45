"""Values and codes, codes and bytes: for tensors on any device, and for NumPy arrays."""

from __future__ import annotations

import torch

from minifloat.arrays import Array, as_codes, as_tensor, like
from minifloat.formats import FormatLike, as_format

_ops = torch.ops.minifloat


def encode(x: Array, format: FormatLike, *, saturate: bool = True) -> Array:
    """Return the nearest code of each value, ties to even: uint8, the shape of x.

    x is float16, bfloat16, float32 or float64, and is rounded once. With `saturate`, what is too
    large becomes the largest finite value; without, it becomes infinity or NaN in the formats
    that have one. NaN stays NaN; where the format has none, it becomes -0 (and -NaN +0). Codes are
    integers, which have no derivatives; what `round` returns has.
    """
    return like(x, _ops.encode.default(as_tensor(x), as_format(format).name, saturate))


def decode(codes: Array, format: FormatLike) -> Array:
    """Return the value of each code, exactly: float32, the shape of codes.

    codes are uint8, one a byte, or of the format's torch or ml_dtypes dtype. Bits above the
    format's are ignored.
    """
    f = as_format(format)
    return like(codes, _ops.decode.default(as_codes(codes, f), f.name))


def round(x: Array, format: FormatLike, *, saturate: bool = True) -> Array:
    """Return the values that x becomes by `encode` and `decode`, in the dtype of x.

    Derivatives of every kind go straight through, as if nothing were rounded.
    """
    return like(x, _ops.round.default(as_tensor(x), as_format(format).name, saturate))


def pack(codes: Array, format: FormatLike) -> Array:
    """Return codes (..., dim) as dense rows: uint8, (..., row_bytes).

    Code i of a row takes bits [i * bits, (i + 1) * bits) of it, low bits first; rows are padded
    with zero bits to whole bytes. Bits of a code above the format's are dropped.
    """
    f = as_format(format)
    return like(codes, _ops.pack.default(as_codes(codes, f), f.name))


def unpack(packed: Array, format: FormatLike, dim: int) -> Array:
    """Return the codes of dense rows (..., row_bytes): uint8, (..., dim). `pack` inverted."""
    f = as_format(format)
    return like(packed, _ops.unpack.default(as_codes(packed, f, packed=True), f.name, dim))


def encode_pack(x: Array, format: FormatLike, *, saturate: bool = True) -> Array:
    """Return `pack(encode(x))` in one pass: uint8, (..., row_bytes)."""
    return like(x, _ops.encode_pack.default(as_tensor(x), as_format(format).name, saturate))
