"""The operators in Triton, on whatever device Triton runs on.

On such a device values are not looked at before the work begins, for that would wait for it: pairs
and ranges must be right, and where fewer than k rows take part in a search, the rest of an answer
is row -1 with score NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from minifloat import ops
from minifloat.backends.triton.codec import (
    decode_kernel,
    encode_kernel,
    pack_kernel,
    unpack_kernel,
)
from minifloat.backends.triton.plan import (
    WARPS,
    Plan,
    Way,
    blocks,
    facts_of,
    plan_of,
    unit_of,
)
from minifloat.backends.triton.products import scores_kernel
from minifloat.backends.triton.rows import pair_scores_kernel, squares_kernel
from minifloat.backends.triton.search import MOST_ROWS, answers_kernel, search_kernel
from minifloat.formats import Format, as_format

# Values, or groups of eight codes, of one program.
_BLOCK = 1024
_GROUPS = 128

# Rows and columns of one program of the kernels that go by rows.
_ROWS = 16
_COLUMNS = 64

# A search finds so many at a time: more of them do not fit into registers.
MOST_KEPT = 256

# Slices of the database for each multiprocessor, so that all are busy to the end.
_SLICES = 4


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode(x, format, saturate), x.contiguous()
    f, count = as_format(format), x.numel()
    _launch(encode_kernel, (blocks(count, _BLOCK),), x)(
        x, out, count, FORMAT=facts_of(f), SATURATE=saturate, BLOCK=_BLOCK
    )
    return out


def decode(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.decode(codes, format), codes.contiguous()
    f, count = as_format(format), codes.numel()
    _launch(decode_kernel, (blocks(count, _BLOCK),), codes)(
        codes, out, count, FORMAT=facts_of(f), BLOCK=_BLOCK
    )
    return out


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    return _pack(codes, ops.pack(codes, format), as_format(format), encodes=False, saturate=True)


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.unpack(packed, format, dim), packed.contiguous()
    f, count = as_format(format), out.numel()
    _launch(unpack_kernel, (blocks(count, _BLOCK),), packed)(
        packed,
        out,
        count,
        dim,
        f.row_bytes(dim),
        BITS=f.bits,
        ONE_ROW=_fills_bytes(f, dim),
        BLOCK=_BLOCK,
    )
    return out


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    out = ops.encode_pack(x, format, saturate)
    return _pack(x, out, as_format(format), encodes=True, saturate=saturate)


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.reciprocal_norms(packed, format, dim), packed.contiguous()
    f, squares = as_format(format), torch.empty_like(out, dtype=torch.float64)
    _launch(squares_kernel, (blocks(out.numel(), _ROWS),), packed)(
        packed,
        squares,
        out.numel(),
        dim,
        f.row_bytes(dim),
        FORMAT=facts_of(f),
        ROWS=_ROWS,
        COLUMNS=_COLUMNS,
        num_warps=WARPS,
    )
    norms = squares.sqrt()
    reciprocal = torch.where(norms == 0, 0.0, 1 / norms)
    return out.copy_(torch.where(norms.isfinite(), reciprocal, torch.nan))


def scores(a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int) -> Tensor:
    out = ops.scores(a, a_norms, b, b_norms, format, dim)
    scores_into(a, a_norms, b, b_norms, format, dim, out)
    return out


def scores_into(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int, out: Tensor
) -> None:
    ops.scores_into(a, a_norms, b, b_norms, format, dim, out)
    f = as_format(format)
    plan = plan_of(a, f, dim)
    way = plan.way(len(a))
    row_blocks = blocks(len(b), way.rows)
    _launch(scores_kernel, (row_blocks * blocks(len(a), way.queries),), b)(
        plan.lay_out(_elements(a, f, dim)),
        a_norms * unit_of(a, f),
        len(a),
        len(a) * plan.groups,
        b.contiguous(),
        b_norms.contiguous(),
        len(b),
        row_blocks,
        plan.groups,
        f.row_bytes(dim),
        out,
        WAY=way,
        num_warps=WARPS,
    )


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    out = ops.pair_scores(a, a_norms, b, b_norms, pairs, format, dim)
    if b.device.type == "cpu":
        ops.check_pairs(pairs, a, b)
    f = as_format(format)
    _launch(pair_scores_kernel, (blocks(len(pairs), _ROWS),), b)(
        a.contiguous(),
        a_norms * unit_of(a, f),
        b.contiguous(),
        b_norms.contiguous(),
        pairs.contiguous(),
        len(pairs),
        dim,
        f.row_bytes(dim),
        out,
        A_PACKED=a.dtype == torch.uint8,
        FORMAT=facts_of(f),
        PAIRS=_ROWS,
        COLUMNS=_COLUMNS,
        num_warps=WARPS,
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
    if b.device.type == "cpu":
        ops.selected(mask, ranges, b, k)
    if len(b) > MOST_ROWS:
        raise ValueError(f"b must have at most {MOST_ROWS} rows; got {len(b)}")
    f = as_format(format)
    plan = plan_of(a, f, dim)
    rest = (a_norms * unit_of(a, f), len(a), b.contiguous(), b_norms.contiguous())
    chosen, last = _selection(mask, ranges, len(b)), None
    queries = plan.lay_out(_elements(a, f, dim))
    way = plan.way(len(a), min(k, MOST_KEPT))
    for first in range(0, k, MOST_KEPT):
        count = min(MOST_KEPT, k - first)
        best = _next_best(plan, way, queries, *rest, chosen, count, last)
        _launch(answers_kernel, (blocks(len(a), _ROWS),), b)(
            best,
            scores[:, first:],
            indices[:, first:],
            len(a),
            count,
            k,
            QUERIES=_ROWS,
            KEPT=way.kept,
        )
        last = best[:, -1].contiguous()
    return scores, indices


def _elements(a: Tensor, f: Format, dim: int) -> Tensor:
    """Return rows, packed or in their lane, as elements of their lane."""
    if a.dtype != torch.uint8:
        return a
    values = decode(unpack(a, f.name, dim), f.name)
    if f.lane == "float":
        return values
    steps = values.nan_to_num(0, 0, 0) * float(2.0**f.fraction_bits)
    return steps.to(torch.int16)


def _next_best(
    plan: Plan,
    way: Way,
    queries: Tensor,
    factors: Tensor,
    query_count: int,
    b: Tensor,
    b_norms: Tensor,
    chosen: Tensor | None,
    k: int,
    last: Tensor | None,
) -> Tensor:
    """Return the keys of the k best scores and their rows, of those after the last ones."""
    query_blocks = blocks(query_count, way.queries)
    wanted = max(1, _SLICES * _multiprocessors(b.device) // max(1, query_blocks))
    slice_rows = blocks(blocks(len(b), wanted), way.rows) * way.rows
    slices = blocks(len(b), slice_rows)
    keys = torch.empty((query_count, slices, k), dtype=torch.int64, device=b.device)
    _launch(search_kernel, (query_blocks, slices), b)(
        queries,
        factors,
        query_count,
        query_count * plan.groups,
        b,
        b_norms,
        None if chosen is None else chosen.contiguous(),
        len(b),
        slice_rows,
        plan.groups,
        plan.format.row_bytes(plan.dim),
        k,
        last,
        keys,
        WAY=way,
        num_warps=WARPS,
    )
    return keys.flatten(1).topk(k).values


def _selection(mask: Tensor | None, ranges: Tensor | None, rows: int) -> Tensor | None:
    """Return the rows that take part, (rows,) bool, or None where all do; without waiting."""
    if ranges is None:
        return mask
    steps = torch.zeros(rows + 1, dtype=torch.int32, device=ranges.device)
    one = torch.ones_like(ranges[:, 0], dtype=torch.int32)
    steps.index_add_(0, ranges[:, 0], one).index_add_(0, ranges[:, 1], -one)
    inside = steps.cumsum(0)[:rows] > 0
    return inside if mask is None else inside & mask


def _pack(source: Tensor, out: Tensor, f: Format, *, encodes: bool, saturate: bool) -> Tensor:
    dim, source = source.shape[-1], source.contiguous()
    row_bytes = f.row_bytes(dim)
    rows = 0 if row_bytes == 0 else out.numel() // row_bytes
    one_row = _fills_bytes(f, dim)
    if one_row:
        rows, dim, row_bytes = min(rows, 1), rows * dim, rows * row_bytes
    size = next(size for size in (8, 4, 2, 1) if f.bits % size == 0 and row_bytes % size == 0)
    pieces = out.view(-1).view(_PIECES[size])
    groups_a_row = blocks(dim, 8)
    groups = rows * groups_a_row
    _launch(pack_kernel, (blocks(groups, _GROUPS),), source)(
        source,
        pieces,
        groups,
        groups_a_row,
        dim,
        row_bytes // size,
        FORMAT=facts_of(f),
        SATURATE=saturate,
        ENCODES=encodes,
        ONE_ROW=one_row,
        PIECE_BITS=8 * size,
        BLOCK=_GROUPS,
    )
    return out


def _fills_bytes(f: Format, dim: int) -> bool:
    """Return whether rows end where bytes do, so that they are one long row."""
    return dim * f.bits % 8 == 0


_PIECES = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def _multiprocessors(device: torch.device) -> int:
    if device.type == "cpu":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _launch(kernel: Any, grid: tuple[int, ...], on: Tensor) -> Callable[..., None]:
    """Return the kernel on a grid, on the device of a tensor; nothing where the grid is empty.

    Along its first axis a grid may have 2^31 - 1 blocks, along any other 65535.
    """

    def run(*arguments: object, **constants: object) -> None:
        if 0 in grid:
            return
        device = torch.cuda.device(on.device) if on.device.type == "cuda" else nullcontext()
        with device:
            kernel[grid](*arguments, **constants)

    return run
