"""Rows scaled in torch, then packed by a backend's own encoder, with the norms that it finds."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from minifloat.formats import as_format
from minifloat.scaling import amax, check_finite, scale_rows

# Values that are scaled and encoded at once, so that the device has enough to do.
_CHUNK = 1 << 26

Packed = tuple[Tensor, Tensor]


def quantizing(
    encode_pack: Callable[[Tensor, str, bool, Tensor], None],
    reciprocal_norms: Callable[[Tensor, str, int, Tensor], None],
) -> Callable[[Tensor, str, bool, bool, Packed], None]:
    """Return the function that fills tensors with packed rows and their reciprocal norms."""

    def quantize(x: Tensor, format: str, scales: bool, saturate: bool, out: Packed) -> None:
        (codes, norms), (rows, dim) = out, x.shape
        step = max(1, _CHUNK // dim)
        for first in range(0, rows, step):
            chunk = x[first : first + step]
            largest = amax(chunk)
            check_finite("x", largest, first)
            if scales:
                chunk = scale_rows(chunk, largest, as_format(format).max)
            encode_pack(chunk, format, saturate, codes[first : first + step])
        reciprocal_norms(codes, format, dim, norms)

    return quantize
