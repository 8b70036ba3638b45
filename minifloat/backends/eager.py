"""Answers in plain torch: the definition of each, and the backend of every other device."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

from minifloat.answers import Answer, merged, none_of
from minifloat.backends.preparing import to_lane as to_lane
from minifloat.backends.preparing import to_lane_in_frame as to_lane_in_frame
from minifloat.backends.projecting import project as project
from minifloat.backends.quantizing import quantizing, quantizing_in_frame
from minifloat.backends.reaching import reaching
from minifloat.backends.rounding import rounding
from minifloat.backends.turned import turned
from minifloat.formats import Format, as_format
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows

# Database rows that are scored at once by a search.
_SEARCH_BLOCK = 65536


def encode(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    out.copy_(_encoded(x, as_format(format), saturate))


def decode(codes: Tensor, format: str, out: Tensor) -> None:
    _decode(codes, as_format(format), out)


round = rounding(encode, decode)


def pack(codes: Tensor, format: str, out: Tensor) -> None:
    bits = as_format(format).bits
    if bits == 8:
        out.copy_(codes)
        return
    # Eight codes are `bits` bytes.
    groups = pad(codes, (0, -codes.shape[-1] % 8)).unflatten(-1, (-1, 8)).long()
    fields = (groups & (2**bits - 1)) << torch.arange(0, 8 * bits, bits, device=codes.device)
    packed = fields.sum(-1, keepdim=True) >> torch.arange(0, 8 * bits, 8, device=codes.device)
    out.copy_((packed & 0xFF).flatten(-2)[..., : out.shape[-1]])


def unpack(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    out.copy_(_unpacked(packed, as_format(format), dim))


def encode_pack(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    pack(_encoded(x, as_format(format), saturate), format, out)


def reciprocal_norms(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    norms = _values(packed, as_format(format), dim).square().sum(-1).sqrt()
    reciprocal = torch.where(norms == 0, 0.0, 1 / norms)
    out.copy_(torch.where(norms.isfinite(), reciprocal, torch.nan))


quantize = quantizing(encode, decode, encode_pack, reciprocal_norms)
quantize_in_frame = quantizing_in_frame(project, quantize)
angles = turned(unpack, decode)


def all_scores(asked: AllScores, out: Tensor) -> None:
    a, b, format, dim = asked.sides
    f = as_format(format)
    products = _elements(a, f, dim) @ _elements(b, f, dim).T
    # A sum that starts from 0 is never -0.
    scores = (products.float() + 0.0) * a.norms[:, None] * b.norms
    for of_a, of_b in _by_axis(a, b):
        scores = scores + of_a[:, None] * of_b
    _cosines(scores, out)


above = reaching(all_scores)


def pair_scores(asked: PairScores, out: Tensor) -> None:
    a, b, format, dim = asked.sides
    f, (i, j) = as_format(format), asked.pairs.unbind(1)
    a, b = a.some(i), b.some(j)
    products = (_elements(a, f, dim) * _elements(b, f, dim)).sum(-1)
    scores = products.float() * a.norms * b.norms
    for of_a, of_b in _by_axis(a, b):
        scores = scores + of_a * of_b
    _cosines(scores, out)


def best(asked: Best, out: Answer) -> None:
    sides, mask = asked.sides, asked.selection.mask
    found = none_of(sides.a.data)
    for begin, end in asked.selection.spans(sides.shape[1]):
        for first in range(begin, end, _SEARCH_BLOCK):
            last = min(end, first + _SEARCH_BLOCK)
            rows = torch.arange(first, last, device=sides.b.data.device)
            rows = rows if mask is None else rows[mask[rows]]
            block = AllScores(sides.of_some(rows))
            scores = block.results()
            all_scores(block, scores)
            found = merged(found, (scores, rows.expand(scores.shape)), asked.k)
    for whole, parts in zip(out, found, strict=True):
        whole.copy_(parts)


def _by_axis(a: Rows, b: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the coordinates of the rows of both sides along each axis of their frame."""
    if a.coordinates is not None and b.coordinates is not None:
        yield from zip(a.coordinates.unbind(1), b.coordinates.unbind(1), strict=True)


def _cosines(scores: Tensor, out: Tensor) -> None:
    """Write scores, which roundings may leave beyond -1 or 1. NaN stays."""
    torch.clamp(scores, -1, 1, out=out)


def _encoded(x: Tensor, f: Format, saturate: bool) -> Tensor:
    """Codes of values: int32."""
    shift = 23 - f.mantissa_bits
    min_normal = (127 + 1 - f.bias) << 23
    x = x.contiguous()
    bits = _to_float32(x).view(torch.int32)
    magnitude = bits & 0x7FFFFFFF

    # As in csrc/format/codec.h, which says why.
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
    return (sign ^ number) & 0xFF


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


def _decode(codes: Tensor, f: Format, out: Tensor | None = None) -> Tensor:
    """Values of codes, in float32."""
    values = torch.tensor(f.values, device=codes.device)
    places = codes.contiguous().long() & (len(values) - 1)
    found: Tensor = torch.take(values, places, out=out)
    return found


def _unpacked(packed: Tensor, f: Format, dim: int) -> Tensor:
    """Codes of packed rows, of any integer type."""
    if f.bits == 8:
        return packed
    groups = pad(packed, (0, -packed.shape[-1] % f.bits)).unflatten(-1, (-1, f.bits)).long()
    ends = torch.arange(0, 8 * f.bits, 8, device=packed.device)
    whole = (groups << ends).sum(-1, keepdim=True)
    starts = torch.arange(0, 8 * f.bits, f.bits, device=packed.device)
    codes: Tensor = (whole >> starts & (2**f.bits - 1)).flatten(-2)
    return codes[..., :dim]


def _values(packed: Tensor, f: Format, dim: int) -> Tensor:
    """Values of packed rows, in float64, where sums of them are exact."""
    return _decode(_unpacked(packed, f, dim), f).double()


def _elements(rows: Rows, f: Format, dim: int) -> Tensor:
    """The numbers of rows, packed or in their lane, in float64; NaN and infinity are 0 in ints."""
    if not rows.is_packed:
        return rows.data.double()
    values = _values(rows.data, f, dim)
    return values if f.lane == "float" else values.nan_to_num(0, 0, 0)
