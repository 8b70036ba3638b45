"""The operators on CPU tensors: checks and allocation by `ops`, the work by the C++ kernels."""

from __future__ import annotations

import torch
from torch import Tensor, get_num_threads

from minifloat import _C, ops
from minifloat.arrays import on_huge_pages
from minifloat.formats import as_format

_SOURCE_INDEX = {dtype: index for index, dtype in enumerate(ops.SOURCES)}


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    out = on_huge_pages(ops.encode(x, format, saturate))
    x = x.contiguous()
    _C.encode(
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        x.numel(),
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def decode(codes: Tensor, format: str) -> Tensor:
    out = on_huge_pages(ops.decode(codes, format))
    codes = codes.contiguous()
    _C.decode(
        as_format(format).index,
        codes.data_ptr(),
        codes.numel(),
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    out = on_huge_pages(ops.pack(codes, format))
    codes = codes.contiguous()
    dim = codes.shape[-1]
    _C.pack(
        as_format(format).index,
        codes.data_ptr(),
        _rows(codes),
        dim,
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    out = on_huge_pages(ops.unpack(packed, format, dim))
    packed = packed.contiguous()
    _C.unpack(
        as_format(format).index,
        packed.data_ptr(),
        _rows(out),
        dim,
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    out = on_huge_pages(ops.encode_pack(x, format, saturate))
    x = x.contiguous()
    _C.encode_pack(
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        _rows(x),
        x.shape[-1],
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    out = on_huge_pages(ops.reciprocal_norms(packed, format, dim))
    packed = packed.contiguous()
    _C.reciprocal_norms(
        as_format(format).index,
        packed.data_ptr(),
        out.numel(),
        dim,
        out.data_ptr(),
        get_num_threads(),
    )
    return out


def scores(a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int) -> Tensor:
    out = on_huge_pages(ops.scores(a, a_norms, b, b_norms, format, dim))
    scores_into(a, a_norms, b, b_norms, format, dim, out)
    return out


def scores_into(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int, out: Tensor
) -> None:
    ops.scores_into(a, a_norms, b, b_norms, format, dim, out)
    a, a_norms, b, b_norms = (t.contiguous() for t in (a, a_norms, b, b_norms))
    _C.scores(_sides(a, a_norms, b, b_norms, format, dim), out.data_ptr(), get_num_threads())


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    out = on_huge_pages(ops.pair_scores(a, a_norms, b, b_norms, pairs, format, dim))
    ops.check_pairs(pairs, a, b)
    a, a_norms, b, b_norms, pairs = (t.contiguous() for t in (a, a_norms, b, b_norms, pairs))
    _C.pair_scores(
        _sides(a, a_norms, b, b_norms, format, dim),
        pairs.data_ptr(),
        pairs.shape[0],
        out.data_ptr(),
        get_num_threads(),
    )
    return out


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
    scores, indices = ops.search(a, a_norms, b, b_norms, mask, ranges, k, format, dim)
    ops.selected(mask, ranges, b, k)
    mask = None if mask is None else mask.contiguous()
    ranges = None if ranges is None else ranges.contiguous()
    a, a_norms, b, b_norms = (t.contiguous() for t in (a, a_norms, b, b_norms))
    _C.best(
        _sides(a, a_norms, b, b_norms, format, dim),
        _selection(mask, ranges),
        k,
        scores.data_ptr(),
        indices.data_ptr(),
        get_num_threads(),
    )
    return scores, indices


def _sides(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int
) -> _C.Sides:
    """The contiguous rows of a product."""
    return _C.Sides(
        as_format(format).index,
        dim,
        _C.Rows(a.data_ptr(), a_norms.data_ptr(), len(a), a.dtype == torch.uint8),
        _C.Rows(b.data_ptr(), b_norms.data_ptr(), len(b), True),
    )


def _selection(mask: Tensor | None, ranges: Tensor | None) -> _C.Selection:
    """The contiguous mask and ranges of a search."""
    return _C.Selection(
        None if mask is None else mask.data_ptr(),
        None if ranges is None else ranges.data_ptr(),
        0 if ranges is None else len(ranges),
    )


def _rows(x: Tensor) -> int:
    """Rows of x along its last dimension; a row may be empty."""
    return x.shape[:-1].numel()
