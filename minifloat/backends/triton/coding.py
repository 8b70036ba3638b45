"""Codes, packed rows, norms and float queries, by Triton's kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat import _C
from minifloat.backends.preparing import InLane, in_frame
from minifloat.backends.projecting import project
from minifloat.backends.quantizing import quantizing, quantizing_in_frame
from minifloat.backends.rounding import rounding
from minifloat.backends.triton.codec import (
    decode_kernel,
    encode_kernel,
    pack_kernel,
    unpack_kernel,
)
from minifloat.backends.triton.launch import blocks, launch
from minifloat.backends.triton.plan import WARPS, facts_of
from minifloat.backends.triton.rows import squares_kernel, to_lane_kernel
from minifloat.backends.turned import turned
from minifloat.formats import Format, as_format
from minifloat.ops.rows import Rows

# Values, or groups of eight codes, of one program.
_BLOCK = 1024
_GROUPS = 128

# Rows and columns of one program of the kernel that sums up squares.
_ROWS = 16
_COLUMNS = 64

# Columns of one program of the kernel that makes a query.
_QUERY_COLUMNS = 256

# Integers of so many bytes, in which packed rows are written.
_PIECES = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def encode(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    x, count = x.contiguous(), x.numel()
    launch(encode_kernel, blocks(count, _BLOCK))(
        x, out, count, FORMAT=facts_of(as_format(format)), SATURATE=saturate, BLOCK=_BLOCK
    )


def decode(codes: Tensor, format: str, out: Tensor) -> None:
    codes, count = codes.contiguous(), codes.numel()
    launch(decode_kernel, blocks(count, _BLOCK))(
        codes, out, count, FORMAT=facts_of(as_format(format)), BLOCK=_BLOCK
    )


round = rounding(encode, decode)


def pack(codes: Tensor, format: str, out: Tensor) -> None:
    _pack(codes, as_format(format), out, encodes=False, saturate=True)


def unpack(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, count = as_format(format), out.numel()
    launch(unpack_kernel, blocks(count, _BLOCK))(
        packed.contiguous(),
        out,
        count,
        dim,
        f.row_bytes(dim),
        BITS=f.bits,
        ONE_ROW=_fills_bytes(f, dim),
        BLOCK=_BLOCK,
    )


def encode_pack(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    _pack(x, as_format(format), out, encodes=True, saturate=saturate)


def reciprocal_norms(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, squares = as_format(format), torch.empty_like(out, dtype=torch.float64)
    launch(squares_kernel, blocks(out.numel(), _ROWS))(
        packed.contiguous(),
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
    out.copy_(torch.where(norms.isfinite(), reciprocal, torch.nan))


def to_lane(x: Tensor, format: str, out: InLane) -> None:
    x, f = x if x.stride(1) == 1 else x.contiguous(), as_format(format)
    limit = 1.0 if f.lane == "float" else float(_C.query_max(f.index, x.shape[1]))
    launch(to_lane_kernel, len(x))(
        x,
        x.stride(0),
        x.shape[1],
        limit,
        *out,
        COLUMNS=_QUERY_COLUMNS,
        enable_fp_fusion=False,
    )


to_lane_in_frame = in_frame(project, to_lane)


def elements_of(a: Rows, f: Format, dim: int) -> Tensor:
    """Return rows, packed or in their lane, as elements of their lane."""
    if not a.is_packed:
        return a.data
    codes = torch.empty((len(a.data), dim), dtype=torch.uint8, device=a.data.device)
    unpack(a.data, f.name, dim, codes)
    values = torch.empty_like(codes, dtype=torch.float32)
    decode(codes, f.name, values)
    if f.lane == "float":
        return values
    steps = values.nan_to_num(0, 0, 0) * float(2.0**f.fraction_bits)
    return steps.to(torch.int16)


def _pack(source: Tensor, f: Format, out: Tensor, *, encodes: bool, saturate: bool) -> None:
    dim, source = source.shape[-1], source.contiguous()
    row_bytes = f.row_bytes(dim)
    rows = 0 if row_bytes == 0 else out.numel() // row_bytes
    one_row = _fills_bytes(f, dim)
    if one_row:
        rows, dim, row_bytes = min(rows, 1), rows * dim, rows * row_bytes
    size = next(size for size in (8, 4, 2, 1) if f.bits % size == 0 and row_bytes % size == 0)
    groups_a_row = blocks(dim, 8)
    groups = rows * groups_a_row
    launch(pack_kernel, blocks(groups, _GROUPS))(
        source,
        out.view(-1).view(_PIECES[size]),
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


def _fills_bytes(f: Format, dim: int) -> bool:
    """Return whether rows end where bytes do, so that they are one long row."""
    return dim * f.bits % 8 == 0


quantize = quantizing(encode, decode, encode_pack, reciprocal_norms)
quantize_in_frame = quantizing_in_frame(project, quantize)
angles = turned(unpack, decode)
