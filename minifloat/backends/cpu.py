"""Answers on CPU tensors, by the C++ kernels."""

from __future__ import annotations

import torch
from torch import Tensor, get_num_threads

from minifloat import _C
from minifloat.answers import Answer
from minifloat.backends.addresses import address, encoder, products, shape
from minifloat.backends.rounding import rounding
from minifloat.formats import as_format
from minifloat.ops.products import AllScores, Best, PairScores


def encode(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    x = x.contiguous()
    _C.encode(*encoder(x, format, saturate), x.numel(), out.data_ptr(), get_num_threads())


def decode(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = as_format(format), codes.contiguous()
    _C.decode(f.index, codes.data_ptr(), codes.numel(), out.data_ptr(), get_num_threads())


round = rounding(encode, decode)


def pack(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = as_format(format), codes.contiguous()
    _C.pack(f.index, codes.data_ptr(), *shape(codes), out.data_ptr(), get_num_threads())


def unpack(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = as_format(format), packed.contiguous()
    _C.unpack(f.index, packed.data_ptr(), *shape(out), out.data_ptr(), get_num_threads())


def encode_pack(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    x = x.contiguous()
    _C.encode_pack(*encoder(x, format, saturate), *shape(x), out.data_ptr(), get_num_threads())


def reciprocal_norms(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = as_format(format), packed.contiguous()
    _C.reciprocal_norms(
        f.index, packed.data_ptr(), out.numel(), dim, out.data_ptr(), get_num_threads()
    )


def all_scores(asked: AllScores, out: Tensor) -> None:
    sides = asked.sides.contiguous()
    _C.scores(*products(sides), out.data_ptr(), get_num_threads())


def pair_scores(asked: PairScores, out: Tensor) -> None:
    sides, pairs = asked.sides.contiguous(), asked.pairs.contiguous()
    _C.pair_scores(
        *products(sides), pairs.data_ptr(), len(pairs), out.data_ptr(), get_num_threads()
    )


def best(asked: Best, out: Answer) -> None:
    sides, (mask, ranges) = asked.sides.contiguous(), asked.selection.contiguous()
    if ranges is None:
        ranges = torch.tensor(asked.selection.spans(sides.shape[1]))
    scores, rows = out
    _C.search(
        *products(sides),
        address(mask),
        ranges.data_ptr(),
        len(ranges),
        asked.k,
        scores.data_ptr(),
        rows.data_ptr(),
        get_num_threads(),
    )
