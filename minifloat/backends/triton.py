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
import triton
from torch import Tensor

from minifloat import ops
from minifloat.backends import triton_codec as codec
from minifloat.backends import triton_search as kernels
from minifloat.formats import Format, as_format

# Values, or groups of eight codes, of one program.
_BLOCK = 1024
_GROUPS = 128

# Rows and columns of one program of the kernels that go by rows.
_ROWS = 16
_COLUMNS = 32

# Groups of codes that are multiplied at once, and the warps of a program that does so.
_GROUPS_AT_ONCE = 32
WARPS = 8

# A search finds so many at a time: more of them do not fit into registers.
MOST_KEPT = 256

# Slices of the database for each multiprocessor, so that all are busy to the end.
_SLICES = 4


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode(x, format, saturate), x.contiguous()
    f, count = as_format(format), x.numel()
    _launch(codec.encode_kernel, (_blocks(count, _BLOCK),), x)(
        x, out, count, **_facts(f), SATURATE=saturate, BLOCK=_BLOCK
    )
    return out


def decode(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.decode(codes, format), codes.contiguous()
    f, count = as_format(format), codes.numel()
    _launch(codec.decode_kernel, (_blocks(count, _BLOCK),), codes)(
        codes, out, count, **_facts(f), BLOCK=_BLOCK
    )
    return out


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    return _pack(codes, ops.pack(codes, format), as_format(format), encodes=False, saturate=True)


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.unpack(packed, format, dim), packed.contiguous()
    f, count = as_format(format), out.numel()
    _launch(codec.unpack_kernel, (_blocks(count, _BLOCK),), packed)(
        packed, out, count, dim, f.row_bytes(dim), BITS=f.bits, BLOCK=_BLOCK
    )
    return out


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    out = ops.encode_pack(x, format, saturate)
    return _pack(x, out, as_format(format), encodes=True, saturate=saturate)


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.reciprocal_norms(packed, format, dim), packed.contiguous()
    f, squares = as_format(format), torch.empty_like(out, dtype=torch.float64)
    _launch(kernels.squares_kernel, (_blocks(out.numel(), _ROWS),), packed)(
        packed,
        squares,
        out.numel(),
        dim,
        f.row_bytes(dim),
        **_lane(f),
        ROWS=_ROWS,
        COLUMNS=_COLUMNS,
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
    plan = _plan(a, f, dim)
    constants = plan.constants(len(a))
    grid = (_blocks(len(b), plan.rows), _blocks(len(a), constants["QUERIES"]))
    _launch(kernels.scores_kernel, grid, b)(
        plan.lay_out(a),
        a_norms * _unit(a, f),
        len(a),
        len(a) * plan.groups,
        b.contiguous(),
        b_norms.contiguous(),
        len(b),
        plan.groups,
        f.row_bytes(dim),
        out,
        **constants,
        num_warps=WARPS,
    )


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    out = ops.pair_scores(a, a_norms, b, b_norms, pairs, format, dim)
    if b.device.type == "cpu":
        ops.check_pairs(pairs, a, b)
    f = as_format(format)
    _launch(kernels.pair_scores_kernel, (_blocks(len(pairs), _ROWS),), b)(
        a.contiguous(),
        a_norms * _unit(a, f),
        b.contiguous(),
        b_norms.contiguous(),
        pairs.contiguous(),
        len(pairs),
        dim,
        f.row_bytes(dim),
        out,
        A_PACKED=a.dtype == torch.uint8,
        **_lane(f),
        PAIRS=_ROWS,
        COLUMNS=_COLUMNS,
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
    f = as_format(format)
    plan = _plan(a, f, dim)
    rest = (a_norms * _unit(a, f), len(a), b.contiguous(), b_norms.contiguous())
    chosen, last = _selection(mask, ranges, len(b)), None
    queries = plan.lay_out(a)
    for first in range(0, k, MOST_KEPT):
        count = min(MOST_KEPT, k - first)
        best, rows = _next_best(plan, queries, *rest, chosen, count, last)
        scores[:, first : first + count] = torch.where(best > kernels.LOWEST, best, torch.nan)
        indices[:, first : first + count] = rows
        last = (best[:, -1].contiguous(), rows[:, -1].contiguous())
    return scores, indices


def _next_best(
    plan: Plan,
    queries: Tensor,
    factors: Tensor,
    query_count: int,
    b: Tensor,
    b_norms: Tensor,
    chosen: Tensor | None,
    k: int,
    last: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """Return the k best scores, NaN as `LOWEST`, and their rows, of those after the last ones."""
    constants = plan.constants(query_count, k)
    query_blocks = _blocks(query_count, constants["QUERIES"])
    wanted = max(1, _SLICES * _multiprocessors(b.device) // max(1, query_blocks))
    slice_rows = _blocks(_blocks(len(b), wanted), plan.rows) * plan.rows
    slices = _blocks(len(b), slice_rows)
    best = b_norms.new_empty((query_count, slices, k))
    rows = torch.empty_like(best, dtype=torch.int64)
    _launch(kernels.search_kernel, (slices, query_blocks), b)(
        queries,
        factors,
        query_count,
        query_count * plan.groups,
        b,
        b_norms,
        b if chosen is None else chosen.contiguous(),
        len(b),
        slice_rows,
        plan.groups,
        plan.format.row_bytes(plan.dim),
        k,
        *(last or (best, rows)),
        best,
        rows,
        HAS_MASK=chosen is not None,
        HAS_LAST=last is not None,
        **constants,
        KEPT=triton.next_power_of_2(k),
        num_warps=WARPS,
    )
    # Equal scores go to the lower row.
    best, rows = best.flatten(1), rows.flatten(1)
    by_row = rows.argsort(1)
    best, rows = best.gather(1, by_row), rows.gather(1, by_row)
    order = best.sort(dim=1, descending=True, stable=True).indices[:, :k]
    return best.gather(1, order), rows.gather(1, order)


class Plan:
    """How the products of queries and a format's rows are made."""

    def __init__(self, f: Format, dim: int, *, packed: bool, wide: bool) -> None:
        self.format, self.dim, self.packed, self.wide = f, dim, packed, wide
        self.rows = 64 if wide else 32  # of a program's tile
        # Codes that lie in whole bytes together.
        self.places = {8: 1, 6: 4, 4: 2}[f.bits]
        self.groups = _blocks(dim, self.places * _GROUPS_AT_ONCE) * _GROUPS_AT_ONCE
        # What a query's elements are split into, and what one of the high plane counts.
        self.planes = 1 if packed and f.lane != "int16" else 2
        self.base = 1 << kernels.ROW_SHIFT if packed else 256

    def constants(self, queries: int, k: int = 1) -> dict[str, int]:
        """Return the constants of kernels that multiply tiles, which registers hold."""
        # Codes of 6 bits take the most registers, and with queries in two planes twice as many.
        is_heavy = self.places == 4 and self.planes == 2
        most = 16 if not self.wide else 32 if is_heavy else 64
        most = min(most, (2048 if is_heavy else 4096) // triton.next_power_of_2(k))
        is_long = self.format.lane != "float" and self.dim > kernels.EXACT
        return _lane(self.format) | {
            "PLANES": self.planes,
            "QUERY_BASE": self.base,
            "GROUPS": _GROUPS_AT_ONCE,
            "CHUNK": kernels.EXACT // self.places if is_long else 0,
            "QUERIES": max(16, min(most, triton.next_power_of_2(queries))),
            "ROWS": self.rows,
        }

    def lay_out(self, a: Tensor) -> Tensor:
        """Return queries by plane, by place in a group, by query, by group."""
        elements = _elements(a, self.format, self.dim) if self.packed else a
        planes = torch.stack(_planes(elements, self))
        padded = torch.nn.functional.pad(planes, (0, self.groups * self.places - self.dim))
        shape = (self.planes, len(a), self.groups, self.places)
        return padded.view(shape).permute(0, 3, 1, 2).contiguous()


def _plan(a: Tensor, f: Format, dim: int) -> Plan:
    # Only from Hopper on do products of 64 queries leave registers to the rest.
    wide = a.device.type == "cpu" or (
        torch.version.hip is None and torch.cuda.get_device_capability(a.device)[0] >= 9
    )
    return Plan(f, dim, packed=a.dtype == torch.uint8, wide=wide)


def _elements(packed: Tensor, f: Format, dim: int) -> Tensor:
    """Return packed rows as elements of their lane."""
    values = decode(unpack(packed, f.name, dim), f.name)
    if f.lane == "float":
        return values
    return (values.nan_to_num(0, 0, 0) * 2.0**f.fraction_bits).to(torch.int16)


def _planes(elements: Tensor, plan: Plan) -> list[Tensor]:
    """Return what adds up to elements, high first, in types of matrix units."""
    if plan.format.lane == "float":
        high = elements.half()
        return [high] if plan.planes == 1 else [high, (elements - high).half()]
    if plan.planes == 1:
        return [elements.to(torch.int8)]
    low = elements.int() & (plan.base - 1)
    low = torch.where(low > 127, low - plan.base, low)
    high = (elements - low) // plan.base
    return [high.to(torch.int8), low.to(torch.int8)]


def _unit(a: Tensor, f: Format) -> float:
    """Return what a step of a product is worth, but for the scale of queries in their lane."""
    if f.lane == "float":
        return 1.0
    return float(2.0 ** (-f.fraction_bits * (2 if a.dtype == torch.uint8 else 1)))


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
    if dim * f.bits % 8 == 0:
        # Rows that fill their bytes are one long row.
        rows, dim, row_bytes = min(rows, 1), rows * dim, rows * row_bytes
    size = next(size for size in (8, 4, 2, 1) if f.bits % size == 0 and row_bytes % size == 0)
    pieces = out.view(-1).view(_PIECES[size])
    groups_a_row = _blocks(dim, 8)
    groups = rows * groups_a_row
    _launch(codec.pack_kernel, (_blocks(groups, _GROUPS),), source)(
        source,
        pieces,
        groups,
        groups_a_row,
        dim,
        row_bytes // size,
        **_facts(f),
        SATURATE=saturate,
        ENCODES=encodes,
        PIECE_BITS=8 * size,
        BLOCK=_GROUPS,
    )
    return out


_PIECES = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def _facts(f: Format) -> dict[str, int]:
    return {
        "E": f.exponent_bits,
        "M": f.mantissa_bits,
        "SPECIALS": codec.SPECIALS_NAMES.index(f.specials),
    }


def _lane(f: Format) -> dict[str, int]:
    return {"LANE": kernels.LANES.index(f.lane), **_facts(f)}


def _blocks(count: int, size: int) -> int:
    return -(-count // size)


def _multiprocessors(device: torch.device) -> int:
    if device.type == "cpu":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _launch(kernel: Any, grid: tuple[int, ...], on: Tensor) -> Callable[..., None]:
    """Return the kernel on a grid, on the device of a tensor; nothing where the grid is empty."""

    def run(*arguments: object, **constants: object) -> None:
        if 0 in grid:
            return
        device = torch.cuda.device(on.device) if on.device.type == "cuda" else nullcontext()
        with device:
            kernel[grid](*arguments, **constants)

    return run
