"""Dot products of queries and packed rows, and the matrix of all scores, in Triton.

They run on matrix units in a type that is exact for the format: bytes for E2M1 and E2M3, two planes
of bytes for E3M2 and E3M4, float16 for the others. Queries come in that type already; rows are
unpacked and decoded in registers.
"""

from __future__ import annotations

import triton
import triton.language as tl

from minifloat.backends.triton.codec import decode_half, decode_steps

LANES = ("int8", "int16", "float")

# An element of a row in the int16 lane is a high and a low plane, which counts 2^-5 as much.
ROW_SHIFT = 5

# Codes of a row whose products add up exactly in an int32: of bytes up to 60 and 128, or of both
# middle planes of the int16 lane.
EXACT = 2**18

_INT8 = tl.constexpr(LANES.index("int8"))
_INT16 = tl.constexpr(LANES.index("int16"))
_FLOAT = tl.constexpr(LANES.index("float"))
_ROW_SHIFT = tl.constexpr(ROW_SHIFT)
_ROW_UNIT = tl.constexpr(1 << ROW_SHIFT)


@triton.jit
def words_of(packed, row, there, group, row_bytes, BITS: tl.constexpr):
    """Groups of codes of some rows, as int32 (rows, groups): 1, 2 or 4 codes in whole bytes."""
    BYTES: tl.constexpr = 3 if BITS == 6 else 1
    word = tl.zeros((row.shape[0], group.shape[0]), tl.int32)
    for i in tl.static_range(BYTES):
        at = group * BYTES + i
        inside = there[:, None] & (at < row_bytes)[None, :]
        byte = tl.load(packed + (row[:, None] * row_bytes + at[None, :]), mask=inside, other=0)
        word |= byte.to(tl.int32) << (8 * i)
    return word


@triton.jit
def sums_of(
    queries,
    query,
    query_there,
    plane,
    packed,
    row,
    row_there,
    groups,
    row_bytes,
    begin,
    end,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    PLANES: tl.constexpr,
    QUERY_BASE: tl.constexpr,
    GROUPS: tl.constexpr,
):
    """Sums of products over groups [begin, end): of the query's high plane, and of its low one.

    In the int16 lane these are of the rows' high plane, and two more are of their low one. Where
    two of them count as much, they are one.
    """
    SHARES: tl.constexpr = QUERY_BASE == _ROW_UNIT
    BITS: tl.constexpr = 1 + E + M
    PLACES: tl.constexpr = 1 if BITS == 8 else (4 if BITS == 6 else 2)
    SUM: tl.constexpr = tl.float32 if LANE == _FLOAT else tl.int32
    first = tl.zeros((query.shape[0], row.shape[0]), SUM)
    second = tl.zeros((query.shape[0], row.shape[0]), SUM)
    third = tl.zeros((query.shape[0], row.shape[0]), SUM)
    fourth = tl.zeros((query.shape[0], row.shape[0]), SUM)
    for start in range(begin, end, GROUPS):
        group = start + tl.arange(0, GROUPS)
        word = words_of(packed, row, row_there, group, row_bytes, BITS)
        at = query[:, None] * groups + group[None, :]
        highs = queries
        for place in tl.static_range(PLACES):
            high = tl.load(highs + at, mask=query_there[:, None], other=0)
            if PLANES == 2:
                lows = highs
                for _ in tl.static_range(PLACES):
                    lows += plane
                low = tl.load(lows + at, mask=query_there[:, None], other=0)
            # Step by step, for the whole way may not fit into an int32.
            highs += plane
            if LANE == _INT8:
                element = tl.trans(decode_steps(word, E, M, place * BITS).to(tl.int8))
                first = tl.dot(high, element, first, out_dtype=tl.int32)
                if PLANES == 2:
                    second = tl.dot(low, element, second, out_dtype=tl.int32)
            elif LANE == _INT16:
                steps = decode_steps(word, E, M, place * BITS)
                upper = tl.trans((steps >> _ROW_SHIFT).to(tl.int8))
                lower = tl.trans((steps & (_ROW_UNIT - 1)).to(tl.int8))
                first = tl.dot(high, upper, first, out_dtype=tl.int32)
                second = tl.dot(low, upper, second, out_dtype=tl.int32)
                if SHARES:
                    second = tl.dot(high, lower, second, out_dtype=tl.int32)
                else:
                    third = tl.dot(high, lower, third, out_dtype=tl.int32)
                fourth = tl.dot(low, lower, fourth, out_dtype=tl.int32)
            else:
                element = tl.trans(decode_half(word, E, M, place * BITS))
                first = tl.dot(high, element, first)
                if PLANES == 2:
                    first = tl.dot(low, element, first)
    return first, second, third, fourth


@triton.jit
def whole_of(
    first,
    second,
    third,
    fourth,
    LANE: tl.constexpr,
    PLANES: tl.constexpr,
    QUERY_BASE: tl.constexpr,
    IS_SHORT: tl.constexpr,
):
    """What the sums of all planes come to, in a type that holds it: int32 where IS_SHORT."""
    WHOLE: tl.constexpr = tl.int32 if IS_SHORT else tl.int64
    if LANE == _INT16:
        upper = first.to(WHOLE) * QUERY_BASE + second
        lower = third.to(WHOLE) * QUERY_BASE + fourth
        whole = (upper << _ROW_SHIFT) + lower
    elif LANE == _INT8 and PLANES == 2:
        whole = first.to(WHOLE) * QUERY_BASE + second
    else:
        whole = first
    return whole


@triton.jit
def products(
    queries,
    query,
    query_there,
    plane,
    packed,
    row,
    row_there,
    groups,
    row_bytes,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    PLANES: tl.constexpr,
    QUERY_BASE: tl.constexpr,
    GROUPS: tl.constexpr,
    CHUNK: tl.constexpr,
    IS_SHORT: tl.constexpr,
):
    """The dot products of some queries and rows: float32, for integers the nearest to the sum.

    Queries lie by plane, high first, by place in a group, by query, by group; `plane` elements are
    of one place. CHUNK groups add up exactly in an int32; 0 where all do.
    """
    if CHUNK == 0:
        first, second, third, fourth = sums_of(
            queries, query, query_there, plane, packed, row, row_there, groups, row_bytes,
            0, groups, LANE, E, M, PLANES, QUERY_BASE, GROUPS,
        )  # fmt: skip
        total = whole_of(first, second, third, fourth, LANE, PLANES, QUERY_BASE, IS_SHORT)
    else:
        total = tl.zeros((query.shape[0], row.shape[0]), tl.int64)
        for begin in range(0, groups, CHUNK):
            first, second, third, fourth = sums_of(
                queries, query, query_there, plane, packed, row, row_there, groups, row_bytes,
                begin, tl.minimum(begin + CHUNK, groups),
                LANE, E, M, PLANES, QUERY_BASE, GROUPS,
            )  # fmt: skip
            total += whole_of(first, second, third, fourth, LANE, PLANES, QUERY_BASE, IS_SHORT)
    return total.to(tl.float32)


@triton.jit
def within_one(score):
    """Cosines: roundings may leave scores beyond -1 or 1. NaN stays."""
    score = tl.where(score > 1.0, 1.0, score)
    return tl.where(score < -1.0, -1.0, score)


@triton.jit(do_not_specialize=["row_blocks"])
def scores_kernel(
    queries,
    factors,
    query_count,
    plane,
    packed,
    norms,
    row_count,
    row_blocks,
    groups,
    row_bytes,
    out,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    PLANES: tl.constexpr,
    QUERY_BASE: tl.constexpr,
    GROUPS: tl.constexpr,
    CHUNK: tl.constexpr,
    IS_SHORT: tl.constexpr,
    QUERIES: tl.constexpr,
    ROWS: tl.constexpr,
):
    program = tl.program_id(0).to(tl.int64)
    # Offsets within a tile are int32, wherever it is.
    first_row = program % row_blocks * ROWS
    first_query = program // row_blocks * QUERIES
    row, query = tl.arange(0, ROWS), tl.arange(0, QUERIES)
    row_there, query_there = row < row_count - first_row, query < query_count - first_query
    dots = products(
        queries + first_query * groups, query, query_there, plane,
        packed + first_row * row_bytes, row, row_there, groups, row_bytes,
        LANE, E, M, PLANES, QUERY_BASE, GROUPS, CHUNK, IS_SHORT,
    )  # fmt: skip
    factor = tl.load(factors + first_query + query, mask=query_there, other=0.0)
    norm = tl.load(norms + first_row + row, mask=row_there, other=0.0)
    score = within_one(dots * factor[:, None] * norm[None, :])
    at = (first_query + query)[:, None] * row_count + (first_row + row)[None, :]
    tl.store(out + at, score, mask=query_there[:, None] & row_there[None, :])
