"""Dot products of queries and packed rows, and the matrix of all scores, in Triton.

They run on matrix units in a type that is exact for the format: bytes for E2M1 and E2M3, two planes
of bytes for E3M2 and E3M4, float16 for the others. Queries come in that type already; rows are
unpacked and decoded in registers. A `Way` says how.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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


class Queries(NamedTuple):
    """Queries of a tile: where the first lies, their numbers, and which of them are there.

    They lie by plane, high first, by place in a group, by query, by group; a place has `plane`
    elements.
    """

    data: Any
    number: Any
    there: Any
    plane: Any


class Rows(NamedTuple):
    """Packed rows of a tile: where the first lies, their numbers, and which of them are there."""

    data: Any
    number: Any
    there: Any
    bytes: Any


class Sums(NamedTuple):
    """Sums of products of a plane of the queries, high or low, and one of the rows, upper or lower.

    What is not split into planes has the first alone. Where two sums count as much, both are in
    `low_upper`.
    """

    high_upper: Any
    low_upper: Any
    high_lower: Any
    low_lower: Any


class Coordinates(NamedTuple):
    """Coordinates of some rows: where the first of all lies, their numbers, and which are there.

    Those of rows without a frame lie nowhere.
    """

    data: Any
    number: Any
    there: Any


@triton.jit
def words_of(rows, group, BITS: tl.constexpr):
    """Groups of codes of some rows, as int32 (rows, groups): 1, 2 or 4 codes in whole bytes."""
    BYTES: tl.constexpr = 3 if BITS == 6 else 1
    word = tl.zeros((rows.number.shape[0], group.shape[0]), tl.int32)
    for i in tl.static_range(BYTES):
        at = group * BYTES + i
        inside = rows.there[:, None] & (at < rows.bytes)[None, :]
        first = rows.number[:, None] * rows.bytes
        byte = tl.load(rows.data + (first + at[None, :]), mask=inside, other=0)
        word |= byte.to(tl.int32) << (8 * i)
    return word


@triton.jit
def sums_of(queries, rows, groups, begin, end, WAY: tl.constexpr):
    """The sums of products over groups [begin, end)."""
    E: tl.constexpr = WAY.format.E
    M: tl.constexpr = WAY.format.M
    LANE: tl.constexpr = WAY.format.LANE
    PLANES: tl.constexpr = WAY.planes
    SHARES: tl.constexpr = WAY.query_base == _ROW_UNIT
    BITS: tl.constexpr = 1 + E + M
    PLACES: tl.constexpr = 1 if BITS == 8 else (4 if BITS == 6 else 2)
    GROUPS: tl.constexpr = WAY.groups
    SUM: tl.constexpr = tl.float32 if LANE == _FLOAT else tl.int32
    high_upper = tl.zeros((queries.number.shape[0], rows.number.shape[0]), SUM)
    low_upper = tl.zeros((queries.number.shape[0], rows.number.shape[0]), SUM)
    high_lower = tl.zeros((queries.number.shape[0], rows.number.shape[0]), SUM)
    low_lower = tl.zeros((queries.number.shape[0], rows.number.shape[0]), SUM)
    for start in range(begin, end, GROUPS):
        group = start + tl.arange(0, GROUPS)
        word = words_of(rows, group, BITS)
        at = queries.number[:, None] * groups + group[None, :]
        highs = queries.data
        for place in tl.static_range(PLACES):
            high = tl.load(highs + at, mask=queries.there[:, None], other=0)
            if PLANES == 2:
                lows = highs
                for _ in tl.static_range(PLACES):
                    lows += queries.plane
                low = tl.load(lows + at, mask=queries.there[:, None], other=0)
            # Step by step, for the whole way may not fit into an int32.
            highs += queries.plane
            if LANE == _INT8:
                element = tl.trans(decode_steps(word, E, M, place * BITS).to(tl.int8))
                high_upper = tl.dot(high, element, high_upper, out_dtype=tl.int32)
                if PLANES == 2:
                    low_upper = tl.dot(low, element, low_upper, out_dtype=tl.int32)
            elif LANE == _INT16:
                steps = decode_steps(word, E, M, place * BITS)
                upper = tl.trans((steps >> _ROW_SHIFT).to(tl.int8))
                lower = tl.trans((steps & (_ROW_UNIT - 1)).to(tl.int8))
                high_upper = tl.dot(high, upper, high_upper, out_dtype=tl.int32)
                low_upper = tl.dot(low, upper, low_upper, out_dtype=tl.int32)
                if SHARES:
                    low_upper = tl.dot(high, lower, low_upper, out_dtype=tl.int32)
                else:
                    high_lower = tl.dot(high, lower, high_lower, out_dtype=tl.int32)
                low_lower = tl.dot(low, lower, low_lower, out_dtype=tl.int32)
            else:
                element = tl.trans(decode_half(word, E, M, place * BITS))
                high_upper = tl.dot(high, element, high_upper)
                if PLANES == 2:
                    high_upper = tl.dot(low, element, high_upper)
    return Sums(high_upper, low_upper, high_lower, low_lower)


@triton.jit
def whole_of(sums, WAY: tl.constexpr):
    """What the sums of all planes come to, in a type that holds it."""
    LANE: tl.constexpr = WAY.format.LANE
    WHOLE: tl.constexpr = tl.int32 if WAY.is_short else tl.int64
    BASE: tl.constexpr = WAY.query_base
    if LANE == _INT16:
        upper = sums.high_upper.to(WHOLE) * BASE + sums.low_upper
        lower = sums.high_lower.to(WHOLE) * BASE + sums.low_lower
        whole = (upper << _ROW_SHIFT) + lower
    elif LANE == _INT8 and WAY.planes == 2:
        whole = sums.high_upper.to(WHOLE) * BASE + sums.low_upper
    else:
        whole = sums.high_upper
    return whole


@triton.jit
def products(queries, rows, groups, WAY: tl.constexpr):
    """The dot products of some queries and rows: float32, for integers the nearest to the sum."""
    CHUNK: tl.constexpr = WAY.chunk
    if CHUNK == 0:
        total = whole_of(sums_of(queries, rows, groups, 0, groups, WAY), WAY)
    else:
        total = tl.zeros((queries.number.shape[0], rows.number.shape[0]), tl.int64)
        for begin in range(0, groups, CHUNK):
            end = tl.minimum(begin + CHUNK, groups)
            total += whole_of(sums_of(queries, rows, groups, begin, end, WAY), WAY)
    return total.to(tl.float32)


@triton.jit
def along(axis, coordinates, AXES: tl.constexpr):
    """The coordinates of some rows along an axis."""
    at = coordinates.number * AXES + axis
    return tl.load(coordinates.data + at, mask=coordinates.there, other=0.0)


@triton.jit
def in_frame(score, queries, rows, AXES: tl.constexpr):
    """Scores (queries, rows) of what is left, and the products of coordinates, axis after axis."""
    if AXES > 0:
        # Unrolled, the coordinates of all axes would be in registers at once.
        for axis in range(AXES):
            score += along(axis, queries, AXES)[:, None] * along(axis, rows, AXES)[None, :]
    return score


@triton.jit
def within_one(score):
    """Cosines: roundings may leave scores beyond -1 or 1. NaN stays."""
    score = tl.where(score > 1.0, 1.0, score)
    return tl.where(score < -1.0, -1.0, score)


@triton.jit(do_not_specialize=["row_blocks"])
def scores_kernel(
    queries,
    factors,
    query_coordinates,
    query_count,
    plane,
    packed,
    norms,
    row_coordinates,
    row_count,
    row_blocks,
    groups,
    row_bytes,
    out,
    WAY: tl.constexpr,
    AXES: tl.constexpr,
):
    QUERIES: tl.constexpr = WAY.queries
    ROWS: tl.constexpr = WAY.rows
    program = tl.program_id(0).to(tl.int64)
    # Offsets within a tile are int32, wherever it is.
    first_row = program % row_blocks * ROWS
    first_query = program // row_blocks * QUERIES
    row, query = tl.arange(0, ROWS), tl.arange(0, QUERIES)
    row_there, query_there = row < row_count - first_row, query < query_count - first_query
    dots = products(
        Queries(queries + first_query * groups, query, query_there, plane),
        Rows(packed + first_row * row_bytes, row, row_there, row_bytes),
        groups,
        WAY,
    )
    factor = tl.load(factors + first_query + query, mask=query_there, other=0.0)
    norm = tl.load(norms + first_row + row, mask=row_there, other=0.0)
    score = in_frame(
        dots * factor[:, None] * norm[None, :],
        Coordinates(query_coordinates, first_query + query, query_there),
        Coordinates(row_coordinates, first_row + row, row_there),
        AXES,
    )
    score = within_one(score)
    at = (first_query + query)[:, None] * row_count + (first_row + row)[None, :]
    tl.store(out + at, score, mask=query_there[:, None] & row_there[None, :])
