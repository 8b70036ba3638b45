"""Scores and search over packed rows, in Triton.

Dot products run on matrix units in a type that is exact for the format: bytes for E2M1 and E2M3,
two planes of bytes for E3M2 and E3M4, float16 for the others. Queries come in that type already;
rows are unpacked and decoded in registers.
"""

from __future__ import annotations

import triton
import triton.language as tl

from minifloat.backends.triton_codec import decode, decode_fixed, decode_half, decode_steps

LANES = ("int8", "int16", "float")

# An element of a row in the int16 lane is a high and a low plane, which counts 2^-5 as much.
ROW_SHIFT = 5

# Codes of a row whose products add up exactly in an int32: of bytes up to 60 and 128, or of both
# middle planes of the int16 lane.
EXACT = 2**18

# What stands for NaN while scores are compared: worse than any score, better than none.
LOWEST = -3.4028234663852886e38

# Rows of a database, whose numbers are half of a key.
MOST_ROWS = 2**32 - 1

_INT8 = tl.constexpr(LANES.index("int8"))
_INT16 = tl.constexpr(LANES.index("int16"))
_FLOAT = tl.constexpr(LANES.index("float"))
_ROW_SHIFT = tl.constexpr(ROW_SHIFT)
_ROW_UNIT = tl.constexpr(1 << ROW_SHIFT)
_LOWEST = tl.constexpr(LOWEST)
# No row of a slice, and of a database: what is larger than any.
_NO_ROW = tl.constexpr(2**31 - 1)
_LAST_ROW = tl.constexpr(MOST_ROWS)


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
def scores_kernel(
    queries,
    factors,
    query_count,
    plane,
    packed,
    norms,
    row_count,
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
    # Offsets within a tile are int32, wherever it is.
    first_row = tl.program_id(0).to(tl.int64) * ROWS
    first_query = tl.program_id(1).to(tl.int64) * QUERIES
    row, query = tl.arange(0, ROWS), tl.arange(0, QUERIES)
    row_there, query_there = row < row_count - first_row, query < query_count - first_query
    dots = products(
        queries + first_query * groups, query, query_there, plane,
        packed + first_row * row_bytes, row, row_there, groups, row_bytes,
        LANE, E, M, PLANES, QUERY_BASE, GROUPS, CHUNK, IS_SHORT,
    )  # fmt: skip
    factor = tl.load(factors + first_query + query, mask=query_there, other=0.0)
    norm = tl.load(norms + first_row + row, mask=row_there, other=0.0)
    score = dots * factor[:, None] * norm[None, :]
    at = (first_query + query)[:, None] * row_count + (first_row + row)[None, :]
    tl.store(out + at, score, mask=query_there[:, None] & row_there[None, :])


@triton.jit
def search_kernel(
    queries,
    factors,
    query_count,
    plane,
    packed,
    norms,
    mask,
    row_count,
    slice_rows,
    groups,
    row_bytes,
    k,
    last,
    out,
    HAS_MASK: tl.constexpr,
    HAS_LAST: tl.constexpr,
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
    KEPT: tl.constexpr,
):
    """Keep the k best scores, and their rows, of some queries in a slice of the rows.

    With `last`, (queries,), only of those that come after it in an answer. The output is
    (queries, slices, k), in no order, of keys: `key_of` a score and a row.
    """
    first_query = tl.program_id(1).to(tl.int64) * QUERIES
    query = tl.arange(0, QUERIES)
    query_there = query < query_count - first_query
    factor = tl.load(factors + first_query + query, mask=query_there, other=0.0)
    if HAS_LAST:
        last_key = tl.load(last + first_query + query, mask=query_there, other=0)
        last_score, last_row = score_of(last_key), row_of(last_key)
    begin = tl.program_id(0).to(tl.int64) * slice_rows
    end = tl.minimum(begin + slice_rows, row_count)
    column = tl.arange(0, ROWS)
    slot = tl.arange(0, KEPT)
    # Slots past k hold what nothing is better than.
    empty = tl.where(slot < k, float("-inf"), float("inf"))
    best = tl.zeros((QUERIES, KEPT), tl.float32) + empty[None, :]
    kept = tl.full((QUERIES, KEPT), _NO_ROW, tl.int32)
    for start in range(0, slice_rows, ROWS):
        # Offsets within a tile are int32, wherever it is.
        first_row = begin + start
        row_there = column < end - first_row
        norm = tl.load(norms + first_row + column, mask=row_there, other=0.0)
        takes_part = row_there
        if HAS_MASK:
            takes_part &= tl.load(mask + first_row + column, mask=row_there, other=0) != 0
        dots = products(
            queries + first_query * groups, query, query_there, plane,
            packed + first_row * row_bytes, column, row_there, groups, row_bytes,
            LANE, E, M, PLANES, QUERY_BASE, GROUPS, CHUNK, IS_SHORT,
        )  # fmt: skip
        score = dots * factor[:, None] * norm[None, :]
        # The larger of NaN and a number is the number.
        score = tl.maximum(score, _LOWEST)
        score = tl.where(takes_part[None, :], score, float("-inf"))
        if HAS_LAST:
            later = (first_row + column)[None, :] > last_row[:, None]
            below = score < last_score[:, None]
            follows = below | ((score == last_score[:, None]) & later)
            score = tl.where(follows, score, float("-inf"))
        worst = tl.min(best, 1)
        more = tl.max((tl.max(score, 1) > worst).to(tl.int32), 0)
        while more > 0:
            # One score for each query that has one: it takes the place of its worst, of the last
            # row among equals.
            top, at = tl.max(score, 1, return_indices=True)
            rows_of_worst = tl.where(best == worst[:, None], kept, -1)
            place = tl.argmax(rows_of_worst, 1)
            replaced = (slot[None, :] == place[:, None]) & (top > worst)[:, None]
            best = tl.where(replaced, top[:, None], best)
            kept = tl.where(replaced, (start + at)[:, None], kept)
            score = tl.where(column[None, :] == at[:, None], float("-inf"), score)
            worst = tl.min(best, 1)
            more = tl.max((tl.max(score, 1) > worst).to(tl.int32), 0)
    # A row that is not there is the last of all.
    row = tl.where(kept == _NO_ROW, _LAST_ROW, begin + kept)
    at = ((first_query + query) * tl.num_programs(0) + tl.program_id(0))[:, None] * k
    there = query_there[:, None] & (slot < k)[None, :]
    tl.store(out + at + slot[None, :], key_of(best, row), mask=there)


@triton.jit
def key_of(score, row):
    """What orders answers, as int64: larger scores first, and of equal ones the lower row."""
    # Zero has one sign here, and negative numbers' bits ascend as they do.
    bits = tl.where(score == 0, 0.0, score).to(tl.int32, bitcast=True)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered.to(tl.int64) << 32) | (row ^ _LAST_ROW)


@triton.jit
def score_of(key):
    ordered = (key >> 32).to(tl.int32)
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).to(tl.float32, bitcast=True)


@triton.jit
def row_of(key):
    return (key & _LAST_ROW) ^ _LAST_ROW


@triton.jit
def answers_kernel(
    keys, scores, rows, query_count, count, k, QUERIES: tl.constexpr, KEPT: tl.constexpr
):
    """Write the scores and rows of keys (queries, count) to the first columns of (queries, k)."""
    query = tl.program_id(0).to(tl.int64) * QUERIES + tl.arange(0, QUERIES)
    column = tl.arange(0, KEPT)
    there = (query < query_count)[:, None] & (column < count)[None, :]
    key = tl.load(keys + query[:, None] * count + column[None, :], mask=there, other=0)
    score, row = score_of(key), row_of(key)
    at = query[:, None] * k + column[None, :]
    tl.store(scores + at, tl.where(score > _LOWEST, score, float("nan")), mask=there)
    tl.store(rows + at, tl.where(row == _LAST_ROW, -1, row), mask=there)


@triton.jit
def element_of(
    rows,
    row,
    there,
    column,
    dim,
    row_bytes,
    PACKED: tl.constexpr,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    SPECIALS: tl.constexpr,
):
    """The lane's elements of some columns of rows, packed or in their lane, zero past the end."""
    BITS: tl.constexpr = 1 + E + M
    inside = there[:, None] & (column < dim)[None, :]
    if PACKED:
        bit = column * BITS
        at = row[:, None] * row_bytes + (bit // 8)[None, :]
        low = tl.load(rows + at, mask=inside, other=0).to(tl.int32)
        spans = inside & (bit % 8 + BITS > 8)[None, :]
        high = tl.load(rows + at + 1, mask=spans, other=0).to(tl.int32)
        code = (low | high << 8) >> (bit % 8)[None, :] & ((1 << BITS) - 1)
        if LANE == _FLOAT:
            element = tl.where(inside, decode(code, E, M, SPECIALS), 0.0)
        else:
            element = tl.where(inside, decode_fixed(code, E, M), 0)
    else:
        element = tl.load(rows + row[:, None] * dim + column[None, :], mask=inside, other=0)
    return element


@triton.jit
def pair_scores_kernel(
    a,
    factors,
    b,
    norms,
    pairs,
    pair_count,
    dim,
    row_bytes,
    out,
    A_PACKED: tl.constexpr,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    SPECIALS: tl.constexpr,
    PAIRS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64) * PAIRS + tl.arange(0, PAIRS)
    there = pair < pair_count
    i = tl.load(pairs + 2 * pair, mask=there, other=0)
    j = tl.load(pairs + 2 * pair + 1, mask=there, other=0)
    IS_INTEGER: tl.constexpr = LANE != _FLOAT
    total = tl.zeros((PAIRS,), tl.int64 if IS_INTEGER else tl.float32)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        x = element_of(a, i, there, column, dim, row_bytes, A_PACKED, LANE, E, M, SPECIALS)
        y = element_of(b, j, there, column, dim, row_bytes, True, LANE, E, M, SPECIALS)
        if IS_INTEGER:
            total += tl.sum(x.to(tl.int64) * y.to(tl.int64), 1)
        else:
            total += tl.sum(x * y, 1)
    factor = tl.load(factors + i, mask=there, other=0.0)
    norm = tl.load(norms + j, mask=there, other=0.0)
    tl.store(out + pair, total.to(tl.float32) * factor * norm, mask=there)


@triton.jit
def squares_kernel(
    packed,
    out,
    row_count,
    dim,
    row_bytes,
    LANE: tl.constexpr,
    E: tl.constexpr,
    M: tl.constexpr,
    SPECIALS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """The float64 sums of the squares of decoded rows."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    there = row < row_count
    total = tl.zeros((ROWS,), tl.float64)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        # Values, whatever the lane, for they alone tell of rows that are not finite.
        x = element_of(packed, row, there, column, dim, row_bytes, True, _FLOAT, E, M, SPECIALS)
        x = x.to(tl.float64)
        total += tl.sum(x * x, 1)
    tl.store(out + row, total, mask=there)
