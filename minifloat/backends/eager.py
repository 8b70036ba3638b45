"""The operators in plain torch: the definition of each, and the backend of every other device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from minifloat import ops
from minifloat.answers import merged, none_of
from minifloat.formats import Format, as_format

# Database rows that are scored at once by a search.
_SEARCH_BLOCK = 65536


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    ops.encode(x, format, saturate)
    f = as_format(format)
    shift = 23 - f.mantissa_bits
    min_normal = (127 + 1 - f.bias) << 23
    x = x.contiguous()
    bits = _to_float32(x).view(torch.int32)
    magnitude = bits & 0x7FFFFFFF

    # As in csrc/codec.h, which says why.
    top_code = len(f.finite) - (saturate or f.specials == "none")
    clamped = magnitude.clamp(max=(top_code << shift) + min_normal - (1 << 23))
    binade = clamped.clamp(min=min_normal) & 0x7F800000
    start = -(min_normal >> shift) & 0xFF
    magic = (binade + ((shift << 23) + start)).view(torch.float32)
    steps = (clamped.view(torch.float32) + magic).view(torch.int32)
    finite = steps + (binade >> shift)

    sign_bit = 1 << (f.bits - 1)
    # Of the source, for a conversion may lose that of NaN.
    sign = x.signbit().int() * sign_bit
    number = torch.where(magnitude > 0x7F800000, _nan_code(f), finite)
    return ((sign ^ number) & 0xFF).to(torch.uint8)


def decode(codes: Tensor, format: str) -> Tensor:
    ops.decode(codes, format)
    values = torch.tensor(as_format(format).values, device=codes.device)
    return values[codes.contiguous().long() & (len(values) - 1)]


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    out = ops.pack(codes, format)
    bits = as_format(format).bits
    if bits == 8:
        return codes.clone(memory_format=torch.contiguous_format)
    # Eight codes are `bits` bytes.
    groups = pad(codes, (0, -codes.shape[-1] % 8)).unflatten(-1, (-1, 8)).long()
    fields = (groups & (2**bits - 1)) << torch.arange(0, 8 * bits, bits, device=codes.device)
    packed = fields.sum(-1, keepdim=True) >> torch.arange(0, 8 * bits, 8, device=codes.device)
    return _bytes(packed & 0xFF)[..., : out.shape[-1]].contiguous()


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    ops.unpack(packed, format, dim)
    bits = as_format(format).bits
    if bits == 8:
        return packed.clone(memory_format=torch.contiguous_format)
    groups = pad(packed, (0, -packed.shape[-1] % bits)).unflatten(-1, (-1, bits)).long()
    whole = (groups << torch.arange(0, 8 * bits, 8, device=packed.device)).sum(-1, keepdim=True)
    codes = whole >> torch.arange(0, 8 * bits, bits, device=packed.device) & (2**bits - 1)
    return _bytes(codes)[..., :dim].contiguous()


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    ops.encode_pack(x, format, saturate)
    return pack(encode(x, format, saturate), format)


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    ops.reciprocal_norms(packed, format, dim)
    norms = decode(unpack(packed, format, dim), format).double().square().sum(-1).sqrt()
    reciprocal = torch.where(norms == 0, 0.0, 1 / norms)
    return torch.where(norms.isfinite(), reciprocal, torch.nan).float()


def scores(a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int) -> Tensor:
    ops.scores(a, a_norms, b, b_norms, format, dim)
    products = _values(a, format, dim) @ _values(b, format, dim).T
    # A sum that starts from 0 is never -0.
    return _within_one((products.float() + 0.0) * a_norms[:, None] * b_norms)


def scores_into(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int, out: Tensor
) -> None:
    ops.scores_into(a, a_norms, b, b_norms, format, dim, out)
    out.copy_(scores(a, a_norms, b, b_norms, format, dim))


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    ops.pair_scores(a, a_norms, b, b_norms, pairs, format, dim)
    ops.check_pairs(pairs, a, b)
    i, j = pairs.unbind(1)
    products = (_values(a[i], format, dim) * _values(b[j], format, dim)).sum(-1)
    return _within_one(products.float() * a_norms[i] * b_norms[j])


def search(
    a: Tensor,
    a_norms: Tensor,
    b: Tensor,
    b_norms: Tensor,
    mask: Tensor | None,
    ranges: Tensor | None,
    k: int,
    format: str,
    dim: int,
) -> tuple[Tensor, Tensor]:
    ops.search(a, a_norms, b, b_norms, mask, ranges, k, format, dim)
    best = none_of(a)
    for begin, end in ops.selected(mask, ranges, b, k).tolist():
        for first in range(begin, end, _SEARCH_BLOCK):
            rows = torch.arange(first, min(end, first + _SEARCH_BLOCK), device=b.device)
            rows = rows if mask is None else rows[mask[rows]]
            block = scores(a, a_norms, b[rows], b_norms[rows], format, dim)
            best = merged(best, (block, rows.expand(block.shape)), k)
    return best


def _within_one(scores: Tensor) -> Tensor:
    """Cosines: roundings may leave scores beyond -1 or 1. NaN stays."""
    return scores.clamp(-1, 1)


def _bytes(groups: Tensor) -> Tensor:
    """Groups of bytes (..., groups, n) as one run of them: uint8, (..., groups * n)."""
    return groups.to(torch.uint8).flatten(-2)


def _to_float32(x: Tensor) -> Tensor:
    if x.dtype != torch.float64:
        return x.float()
    # Rounded to odd, which keeps every tie and every inequality of the shorter formats.
    nearest = x.float()
    away = (nearest.abs() > x.abs()).int()
    return ((nearest.view(torch.int32) - away) | (nearest != x).int()).view(torch.float32)


def _nan_code(f: Format) -> int:
    if f.specials == "ieee":
        return len(f.finite) + (1 << (f.mantissa_bits - 1))
    return len(f.finite)


def _values(rows: Tensor, format: str, dim: int) -> Tensor:
    """The numbers of rows, packed or in their lane, in float64, where sums of them are exact."""
    if rows.dtype != torch.uint8:
        return rows.double()
    values = decode(unpack(rows, format, dim), format).double()
    return values if as_format(format).lane == "float" else values.nan_to_num(0, 0, 0)
