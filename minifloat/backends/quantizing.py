"""Rows scaled in torch, then packed by a backend's own encoder, with what scores need of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from minifloat.backends.projecting import Projected
from minifloat.formats import Format, as_format
from minifloat.scaling import amax, check_finite, near_one, root_of, scale_rows, sum_of

# Values that are scaled and encoded at once, so that the device has enough to do.
_CHUNK = 1 << 26

# Multiples, in eighths, of what makes a row's largest magnitude the format's, that scale "cosine"
# tries with magnitudes in so many bins.
_TRIED = range(5, 13)
_BINS = 64

Packed = tuple[Tensor, Tensor]
Encoder = Callable[[Tensor, str, bool, Tensor], None]
Decoder = Callable[[Tensor, str, Tensor], None]


def quantizing(
    encode: Encoder,
    decode: Decoder,
    encode_pack: Encoder,
    reciprocal_norms: Callable[[Tensor, str, int, Tensor], None],
) -> Callable[..., None]:
    """Return the function that fills tensors with packed rows and what scores need of them."""

    def quantize(
        x: Tensor,
        format: str,
        scale: str,
        estimator: str,
        saturate: bool,
        out: Packed,
        shares: Tensor | None = None,
    ) -> None:
        (codes, norms), (rows, dim), f = out, x.shape, as_format(format)
        saturate = saturate or scale == "cosine" or shares is not None

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
            rounded = chunk
            if shares is not None:
                chunk = chunk.float() + 0.0
                rounded = _fed_back(chunk, shares, values_of)
            encode_pack(rounded, format, saturate, codes[some])
            if estimator == "unbiased":
                norms[some] = _unbiased(near_one(chunk, amax(chunk)), values_of(rounded))
        if estimator == "norm":
            reciprocal_norms(codes, format, dim, norms)

    return quantize


def quantizing_in_frame(
    project: Callable[[Tensor, Sequence[Tensor], Projected], None],
    quantize: Callable[..., None],
) -> Callable[..., None]:
    """Return the function that fills tensors with rows in a frame."""

    def quantize_in_frame(
        x: Tensor,
        frame: Sequence[Tensor],
        format: str,
        scale: str,
        estimator: str,
        saturate: bool,
        out: Projected,
    ) -> None:
        codes, norms, coordinates = out
        step = max(1, _CHUNK // x.shape[1])
        for first in range(0, len(x), step):
            some = slice(first, first + step)
            rest = torch.empty(x[some].shape, dtype=torch.float32, device=x.device)
            lengths = torch.empty_like(norms[some])
            project(x[some], frame, (rest, coordinates[some], lengths))
            check_finite("x", lengths, first)
            packed = codes[some], norms[some]
            shares = frame[3] if len(frame[3]) else None
            quantize(rest, format, scale, estimator, saturate, packed, shares)
            norms[some] *= lengths

    return quantize_in_frame


def _nearest_angle(x: Tensor, format: Format, values_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return rows, near 1, times that of the multiples whose codes have the largest cosine.

    Cosines are of the middles of bins, of which the first is 0, and their codes in 120ths.
    """
    largest = amax(x)
    bins = (x.abs() * (_BINS / largest)).nan_to_num().long().clamp(max=_BINS - 1)
    middles = 2 * torch.arange(_BINS, device=x.device) + 1
    best = torch.full_like(largest, _TRIED[0])
    best_cosine = torch.zeros_like(best, dtype=torch.float64)
    for eighths in _TRIED:
        values = values_of((middles.double() * (format.max * eighths / (16 * _BINS))).float()[None])
        rounded = (values[0].double() * 120 / format.max + 0.5).long()
        rounded[0] = 0
        dot = (middles * rounded)[bins].sum(1, keepdim=True).double()
        cosine = dot * dot / rounded.square()[bins].sum(1, keepdim=True).double()
        better = cosine > best_cosine
        best = torch.where(better, eighths, best)
        best_cosine = torch.where(better, cosine, best_cosine)
    factor = best * format.max / 8 / largest
    return torch.where(largest > 0, x * factor, 0.0)


def _fed_back(x: Tensor, shares: Tensor, values_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what the codes of rows stand for, each chosen with the errors before it in mind."""
    wanted, rounded = x.clone(), torch.empty_like(x)
    for i in range(x.shape[1]):
        rounded[:, i : i + 1] = values_of(wanted[:, i : i + 1].contiguous())
        errors = x[:, i : i + 1] - rounded[:, i : i + 1]
        wanted[:, i + 1 :] += errors * shares[i + 1 :, i]
    return rounded


def _unbiased(x: Tensor, values: Tensor) -> Tensor:
    """Return the length of rows over their products with the values of their codes."""
    dot = sum_of(x * values)
    factor = torch.where(dot > 0, root_of(sum_of(x * x)) / dot, 0.0)
    return torch.where(dot.isfinite(), factor, torch.nan)
