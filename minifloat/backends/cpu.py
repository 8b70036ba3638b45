"""Answers on CPU tensors, by the C++ kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, get_num_threads

from minifloat import _C
from minifloat.angles import CHORDS
from minifloat.answers import Answer, Reached
from minifloat.backends.addresses import (
    FORMAT,
    SOURCE,
    best_of,
    selection_of,
    shape,
    sides_of,
    value_rows,
)
from minifloat.backends.preparing import InLane
from minifloat.backends.projecting import Projected
from minifloat.backends.quantizing import Packed, quantizing
from minifloat.backends.rounding import rounding
from minifloat.ops.products import Above, AllScores, Best, PairScores, contiguous
from minifloat.scaling import refuse_row

# The order is the kernels' numbering.
_SCALE = {"none": 0, "amax": 1, "cosine": 2}
_ESTIMATOR = {"norm": 0, "unbiased": 1}

# Values that are copied at once, and stay in cache.
_COPIED = 1 << 18


def encode(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    f, source, x = FORMAT[format], SOURCE[x.dtype], x.contiguous()
    _C.encode(f, source, saturate, x.data_ptr(), x.numel(), out.data_ptr(), get_num_threads())


def decode(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = FORMAT[format], codes.contiguous()
    _C.decode(f, codes.data_ptr(), codes.numel(), out.data_ptr(), get_num_threads())


round = rounding(encode, decode)


def pack(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = FORMAT[format], codes.contiguous()
    _C.pack(f, codes.data_ptr(), *shape(codes), out.data_ptr(), get_num_threads())


def unpack(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = FORMAT[format], packed.contiguous()
    _C.unpack(f, packed.data_ptr(), *shape(out), out.data_ptr(), get_num_threads())


def encode_pack(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    f, source, x = FORMAT[format], SOURCE[x.dtype], x.contiguous()
    _C.encode_pack(f, source, saturate, x.data_ptr(), *shape(x), out.data_ptr(), get_num_threads())


def quantize(
    x: Tensor, format: str, scale: str, estimator: str, saturate: bool, out: Packed
) -> None:
    if x.dtype != torch.float32 and (scale == "cosine" or estimator == "unbiased"):
        return _quantize_in_torch(x, format, scale, estimator, saturate, out)
    rounding = _rounding(x, format, scale, estimator, saturate)
    for first, some, (codes, norms) in _in_pieces(x, out):
        wrong = _C.quantize(rounding, value_rows(some), codes, norms, get_num_threads())
        if wrong >= 0:
            refuse_row("x", first + wrong)


def reciprocal_norms(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = FORMAT[format], packed.contiguous()
    _C.reciprocal_norms(f, packed.data_ptr(), out.numel(), dim, out.data_ptr(), get_num_threads())


def quantize_in_frame(
    x: Tensor,
    frame: Sequence[Tensor],
    format: str,
    scale: str,
    estimator: str,
    saturate: bool,
    out: Projected,
) -> None:
    how = _rounding(x, format, scale, estimator, saturate), _frame(frame)
    for first, some, (codes, norms, coordinates) in _in_pieces(x, out):
        of_rows = *how, value_rows(some)
        wrong = _C.quantize_in_frame(*of_rows, codes, norms, coordinates, get_num_threads())
        if wrong >= 0:
            refuse_row("x", first + wrong)


def project(x: Tensor, frame: Sequence[Tensor], out: Projected) -> None:
    to_frame = _frame(frame)
    for _, some, (rest, coordinates, lengths) in _in_pieces(x, out):
        of_rows = SOURCE[x.dtype], value_rows(some), to_frame
        _C.project(*of_rows, rest, coordinates, lengths, get_num_threads())


def to_lane(x: Tensor, format: str, out: InLane) -> None:
    how = FORMAT[format], SOURCE[x.dtype]
    for first, some, (elements, norms) in _in_pieces(x, out):
        to = _C.InLane(elements, norms)
        wrong = _C.to_lane(*how, value_rows(some), to, get_num_threads())
        if wrong >= 0:
            refuse_row("queries", first + wrong)


def to_lane_in_frame(x: Tensor, frame: Sequence[Tensor], format: str, out: Projected) -> None:
    how = FORMAT[format], SOURCE[x.dtype], _frame(frame)
    for first, some, (elements, norms, coordinates) in _in_pieces(x, out):
        to = _C.InLane(elements, norms), coordinates
        wrong = _C.to_lane_in_frame(*how, value_rows(some), *to, get_num_threads())
        if wrong >= 0:
            refuse_row("queries", first + wrong)


def angles(x: Tensor, packed: Tensor, format: str, out: Tensor) -> None:
    source, at_chords = SOURCE[x.dtype], CHORDS.data_ptr()
    for first, some, (to,) in _in_pieces(x, (out,)):
        codes = packed[first : first + len(some)].contiguous()
        at = at_chords, FORMAT[format], codes.data_ptr(), to
        _C.angles(source, value_rows(some), *at, get_num_threads())


def _rounding(x: Tensor, format: str, scale: str, estimator: str, saturate: bool) -> _C.Rounding:
    how = _SCALE[scale], _ESTIMATOR[estimator], saturate
    return _C.Rounding(FORMAT[format], SOURCE[x.dtype], *how)


def _frame(frame: Sequence[Tensor]) -> _C.Frame:
    parts = [part.contiguous() for part in frame]
    (axes, dim), (rounds, _), (orders, _), (shares, _) = [part.shape for part in parts]
    at_axes, at_signs, at_order, at_shares = [part.data_ptr() for part in parts]
    none_if_empty = at_order if orders else 0, at_shares if shares else 0
    return _C.Frame(dim, at_axes, axes, at_signs, rounds, *none_if_empty)


def _in_pieces(x: Tensor, out: tuple[Tensor, ...]) -> Iterator[tuple[int, Tensor, list[int]]]:
    """Yield rows that are each in one piece, the first one's number, and where answers go.

    Kernels take such rows wherever they are; others are copied.
    """
    if x.stride(1) == 1:
        yield 0, x, [whole.data_ptr() for whole in out]
        return
    step = max(1, _COPIED // x.shape[1])
    for first in range(0, len(x), step):
        addresses = [whole[first:].data_ptr() for whole in out]
        yield first, x[first : first + step].contiguous(), addresses


_quantize_in_torch = quantizing(encode, decode, encode_pack, reciprocal_norms)


def all_scores(asked: AllScores, out: Tensor) -> None:
    # What is made contiguous must be there until the work is done.
    contiguous_sides = asked.sides.contiguous()
    sides = sides_of(_C, contiguous_sides)
    _C.scores(sides, out.data_ptr(), get_num_threads())


def pair_scores(asked: PairScores, out: Tensor) -> None:
    rows, pairs = asked.sides.contiguous(), asked.pairs.contiguous()
    _C.pair_scores(
        sides_of(_C, rows), pairs.data_ptr(), len(pairs), out.data_ptr(), get_num_threads()
    )


def best(asked: Best, out: Answer) -> None:
    asked, (scores, rows) = contiguous(asked), out
    search = best_of(_C, asked)
    _C.best(search, scores.data_ptr(), rows.data_ptr(), get_num_threads())


def above(asked: Above) -> Reached:
    asked = contiguous(asked)
    of_rows = sides_of(_C, asked.sides), selection_of(_C, asked.selection)
    thresholds = asked.thresholds.contiguous()
    hits = _C.Hits()
    total = _C.above(*of_rows, thresholds.data_ptr(), asked.limit, hits, get_num_threads())
    asked.refuse_above_limit(total)
    found = asked.results(total)
    _C.write_hits(hits, *[part.data_ptr() for part in found])
    return found
