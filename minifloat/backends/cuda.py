"""The operators on CUDA tensors: checks and allocation by `ops`, the work by the CUDA kernels.

Work is put into the current stream and not waited for, so values are not looked at: pairs and
ranges must be right, and where fewer than k rows take part in a search, the rest of an answer is
row -1 with score NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from minifloat import _cuda, ops
from minifloat.formats import as_format
from minifloat.merging import merged

# Rows that one search takes.
_MOST_ROWS = _cuda.MOST_ROWS

_SOURCE_INDEX = {dtype: index for index, dtype in enumerate(ops.SOURCES)}


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode(x, format, saturate), x.contiguous()
    _run(
        _cuda.encode,
        x,
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        x.numel(),
        out.data_ptr(),
    )
    return out


def decode(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.decode(codes, format), codes.contiguous()
    _run(
        _cuda.decode,
        codes,
        as_format(format).index,
        codes.data_ptr(),
        codes.numel(),
        out.data_ptr(),
    )
    return out


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.pack(codes, format), codes.contiguous()
    _run(
        _cuda.pack,
        codes,
        as_format(format).index,
        codes.data_ptr(),
        _rows(codes),
        codes.shape[-1],
        out.data_ptr(),
    )
    return out


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.unpack(packed, format, dim), packed.contiguous()
    _run(
        _cuda.unpack,
        packed,
        as_format(format).index,
        packed.data_ptr(),
        _rows(out),
        dim,
        out.data_ptr(),
    )
    return out


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode_pack(x, format, saturate), x.contiguous()
    _run(
        _cuda.encode_pack,
        x,
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        _rows(x),
        x.shape[-1],
        out.data_ptr(),
    )
    return out


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.reciprocal_norms(packed, format, dim), packed.contiguous()
    _run(
        _cuda.reciprocal_norms,
        packed,
        as_format(format).index,
        packed.data_ptr(),
        out.numel(),
        dim,
        out.data_ptr(),
    )
    return out


def scores(a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int) -> Tensor:
    out = ops.scores(a, a_norms, b, b_norms, format, dim)
    scores_into(a, a_norms, b, b_norms, format, dim, out)
    return out


def scores_into(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int, out: Tensor
) -> None:
    ops.scores_into(a, a_norms, b, b_norms, format, dim, out)
    a, a_norms, b, b_norms = (t.contiguous() for t in (a, a_norms, b, b_norms))
    sides = _sides(a, a_norms, b, b_norms, format, dim)
    with _device_of(b):
        workspace = _workspace(_cuda.scores_workspace(sides), b)
        _run(_cuda.scores, b, sides, _memory(workspace), out.data_ptr())


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    out = ops.pair_scores(a, a_norms, b, b_norms, pairs, format, dim)
    if not b.is_cuda:
        ops.check_pairs(pairs, a, b)
    a, a_norms, b, b_norms, pairs = (t.contiguous() for t in (a, a_norms, b, b_norms, pairs))
    sides = _sides(a, a_norms, b, b_norms, format, dim)
    _run(_cuda.pair_scores, b, sides, pairs.data_ptr(), len(pairs), out.data_ptr())
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
    if not b.is_cuda:
        ops.selected(mask, ranges, b, k)
    a, a_norms, b, b_norms = (t.contiguous() for t in (a, a_norms, b, b_norms))
    mask = None if mask is None else mask.contiguous()
    ranges = None if ranges is None else ranges.contiguous()
    if len(b) <= _MOST_ROWS:
        _search_into(a, a_norms, b, b_norms, mask, ranges, format, dim, scores, indices)
        return scores, indices
    best = (scores[:, :0], indices[:, :0])
    for first in range(0, len(b), _MOST_ROWS):
        part = slice(first, min(first + _MOST_ROWS, len(b)))
        count = part.stop - first
        found = scores.new_empty((len(a), min(k, count)))
        rows = torch.empty_like(found, dtype=torch.int64)
        some = None if mask is None else mask[part]
        inside = None if ranges is None else (ranges - first).clamp(0, count)
        sides = (a, a_norms, b[part], b_norms[part])
        _search_into(*sides, some, inside, format, dim, found, rows)
        best = merged(best, (found, torch.where(rows < 0, rows, rows + first)), k)
    return best


def _search_into(
    a: Tensor,
    a_norms: Tensor,
    b: Tensor,
    b_norms: Tensor,
    mask: Tensor | None,
    ranges: Tensor | None,
    format: str,
    dim: int,
    scores: Tensor,
    indices: Tensor,
) -> None:
    """Search contiguous rows for as many as the answers (a, k) have."""
    sides, k = _sides(a, a_norms, b, b_norms, format, dim), scores.shape[1]
    with _device_of(b):
        workspace = _workspace(_cuda.best_workspace(sides, k), b)
        _run(
            _cuda.best,
            b,
            sides,
            _selection(mask, ranges),
            k,
            _memory(workspace),
            scores.data_ptr(),
            indices.data_ptr(),
        )


def _sides(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int
) -> _cuda.Sides:
    """The contiguous rows of a product."""
    return _cuda.Sides(
        as_format(format).index,
        dim,
        _cuda.Rows(a.data_ptr(), a_norms.data_ptr(), len(a), a.dtype == torch.uint8),
        _cuda.Rows(b.data_ptr(), b_norms.data_ptr(), len(b), True),
    )


def _selection(mask: Tensor | None, ranges: Tensor | None) -> _cuda.Selection:
    """The contiguous mask and ranges of a search."""
    return _cuda.Selection(
        None if mask is None else mask.data_ptr(),
        None if ranges is None else ranges.data_ptr(),
        0 if ranges is None else len(ranges),
    )


def _workspace(bytes: int, on: Tensor) -> Tensor:
    """Memory of a tensor's device, which its stream keeps until the work is done."""
    return torch.empty(bytes, dtype=torch.uint8, device=on.device)


def _memory(workspace: Tensor) -> _cuda.Memory:
    return _cuda.Memory(workspace.data_ptr(), workspace.nbytes)


def _device_of(on: Tensor) -> AbstractContextManager[None]:
    """Make a tensor's device the current one, of which the kernels ask how large it is."""
    return torch.cuda.device(on.device) if on.is_cuda else nullcontext()


def _rows(x: Tensor) -> int:
    """Rows of x along its last dimension; a row may be empty."""
    return x.shape[:-1].numel()


def _run(kernel: Callable[..., None], on: Tensor, *arguments: Any) -> None:
    """Put a kernel into the current stream of a tensor's device."""
    with _device_of(on):
        kernel(*arguments, torch.cuda.current_stream().cuda_stream if on.is_cuda else 0)
