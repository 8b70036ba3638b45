"""Rows scaled in torch, then packed by a backend's own encoder, with what scores need of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minifloat.formats import Format, as_format
from minifloat.scaling import amax, check_finite, near_one, root_of, scale_rows, sum_of

# Values that are scaled and encoded at once, so that the device has enough to do.
_CHUNK = 1 << 26

# Multiples of a row's root mean square that scale "cosine" tries, as shares of the format's
# largest value.
_TRIED = tuple((22 + 24 * i / 7) / 100 for i in range(8))

Packed = tuple[Tensor, Tensor]
Encoder = Callable[[Tensor, str, bool, Tensor], None]
Decoder = Callable[[Tensor, str, Tensor], None]


def quantizing(
    encode: Encoder,
    decode: Decoder,
    encode_pack: Encoder,
    reciprocal_norms: Callable[[Tensor, str, int, Tensor], None],
) -> Callable[[Tensor, str, str, str, bool, Packed], None]:
    """Return the function that fills tensors with packed rows and what scores need of them."""

    def quantize(
        x: Tensor, format: str, scale: str, estimator: str, saturate: bool, out: Packed
    ) -> None:
        (codes, norms), (rows, dim), f = out, x.shape, as_format(format)

        def values_of(scaled: Tensor) -> Tensor:
            chosen = torch.empty(scaled.shape, dtype=torch.uint8, device=x.device)
            encode(scaled, format, saturate, chosen)
            values = torch.empty(scaled.shape, dtype=torch.float32, device=x.device)
            decode(chosen, format, values)
            return values

        step = max(1, _CHUNK // dim)
        for first in range(0, rows, step):
            some = slice(first, first + step)
            chunk = x[some]
            largest = amax(chunk)
            check_finite("x", largest, first)
            if scale == "amax":
                chunk = scale_rows(chunk, largest, f.max)
            elif scale == "cosine":
                chunk = _nearest_angle(near_one(chunk, largest), f, values_of)
            encode_pack(chunk, format, saturate, codes[some])
            if estimator == "unbiased":
                norms[some] = _unbiased(near_one(chunk, amax(chunk)), values_of(chunk))
        if estimator == "norm":
            reciprocal_norms(codes, format, dim, norms)

    return quantize


def _nearest_angle(x: Tensor, format: Format, values_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return rows, near 1, times that of the multiples whose codes have the largest cosine."""
    size = root_of(sum_of(x * x) / x.shape[1])
    best = torch.zeros_like(x)
    best_dot, best_squares = torch.zeros_like(size), torch.ones_like(size)
    for share in _TRIED:
        factor = torch.where(size > 0, size.reciprocal() * (share * format.max), 1.0)
        scaled = x * factor[:, None]
        values = values_of(scaled)
        dot, squares = sum_of(x * values), sum_of(values * values)
        better = dot * dot * best_squares > best_dot * best_dot * squares
        best = torch.where(better[:, None], scaled, best)
        best_dot, best_squares = (
            torch.where(better, new, old) for new, old in ((dot, best_dot), (squares, best_squares))
        )
    return best


def _unbiased(x: Tensor, values: Tensor) -> Tensor:
    """Return the length of rows over their products with the values of their codes."""
    dot = sum_of(x * values)
    factor = torch.where(dot > 0, root_of(sum_of(x * x)) / dot, 0.0)
    return torch.where(dot.isfinite(), factor, torch.nan)
