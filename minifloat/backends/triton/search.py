"""The best scores of each query, kept in registers, in Triton."""

from __future__ import annotations

import triton
import triton.language as tl

from minifloat.backends.triton.products import (
    Coordinates,
    Queries,
    Rows,
    in_frame,
    products,
    within_one,
)

# What stands for NaN while scores are compared: worse than any score, better than none.
LOWEST = -3.4028234663852886e38

# Rows that one search takes: their numbers are half of a key, and the last number is no row's.
MOST_ROWS = 2**32 - 1

_LOWEST = tl.constexpr(LOWEST)
# No row of a slice, and of a database: what is larger than any.
_NO_ROW = tl.constexpr(2**31 - 1)
_LAST_ROW = tl.constexpr(MOST_ROWS)


# Longer than other functions by its parameters: Triton takes each tensor and each size as one.
@triton.jit
def search_kernel(
    queries,
    factors,
    query_coordinates,
    query_count,
    plane,
    packed,
    norms,
    row_coordinates,
    mask,
    row_count,
    slice_rows,
    groups,
    row_bytes,
    k,
    last,
    out,
    WAY: tl.constexpr,
    AXES: tl.constexpr,
):
    """Keep the k best scores, and their rows, of some queries in a slice of the rows.

    With `last`, (queries,), only of those that come after it in an answer. The output is
    (queries, slices, k), in no order, of keys: `key_of` a score and a row.
    """
    QUERIES: tl.constexpr = WAY.queries
    ROWS: tl.constexpr = WAY.rows
    KEPT: tl.constexpr = WAY.kept
    first_query = tl.program_id(0).to(tl.int64) * QUERIES
    query = tl.arange(0, QUERIES)
    query_there = query < query_count - first_query
    factor = tl.load(factors + first_query + query, mask=query_there, other=0.0)
    if last is not None:
        last_key = tl.load(last + first_query + query, mask=query_there, other=0)
        last_score, last_row = score_of(last_key), row_of(last_key)
    begin = tl.program_id(1).to(tl.int64) * slice_rows
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
        if mask is not None:
            takes_part &= tl.load(mask + first_row + column, mask=row_there, other=0) != 0
        dots = products(
            Queries(queries + first_query * groups, query, query_there, plane),
            Rows(packed + first_row * row_bytes, column, row_there, row_bytes),
            groups,
            WAY,
        )
        score = in_frame(
            dots * factor[:, None] * norm[None, :],
            Coordinates(query_coordinates, first_query + query, query_there),
            Coordinates(row_coordinates, first_row + column, row_there),
            AXES,
        )
        score = within_one(score)
        # NaN is larger than nothing, and what a maximum makes of it differs by version of Triton.
        score = tl.where(score > _LOWEST, score, _LOWEST)
        score = tl.where(takes_part[None, :], score, float("-inf"))
        if last is not None:
            later = (first_row + column)[None, :] > last_row[:, None]
            below = score < last_score[:, None]
            follows = below | ((score == last_score[:, None]) & later)
            score = tl.where(follows, score, float("-inf"))
        best, kept = with_better(best, kept, score, start)
    # A row that is not there is the last of all.
    row = tl.where(kept == _NO_ROW, _LAST_ROW, begin + kept)
    at = ((first_query + query) * tl.num_programs(1) + tl.program_id(1))[:, None] * k
    there = query_there[:, None] & (slot < k)[None, :]
    tl.store(out + at + slot[None, :], key_of(best, row), mask=there)


@triton.jit
def with_better(best, kept, score, start):
    """The best scores and their rows, with those of a tile, from row `start` on, that are better.

    Scores are (queries, rows). A slot's row is of the slice.
    """
    column, slot = tl.arange(0, score.shape[1]), tl.arange(0, best.shape[1])
    worst = tl.min(best, 1)
    # Triton 3.7 does not compile a maximum of the rows' maxima for compute capability 10.0.
    more = tl.max((score > worst[:, None]).to(tl.int32))
    while more > 0:
        # One score for each query that has one: it takes the place of its worst, of the last row
        # among equals.
        top, at = tl.max(score, 1, return_indices=True)
        rows_of_worst = tl.where(best == worst[:, None], kept, -1)
        place = tl.argmax(rows_of_worst, 1)
        replaced = (slot[None, :] == place[:, None]) & (top > worst)[:, None]
        best = tl.where(replaced, top[:, None], best)
        kept = tl.where(replaced, (start + at)[:, None], kept)
        score = tl.where(column[None, :] == at[:, None], float("-inf"), score)
        worst = tl.min(best, 1)
        more = tl.max((score > worst[:, None]).to(tl.int32))
    return best, kept


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
