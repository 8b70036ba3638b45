"""Single rows, element by element, in Triton: scores of pairs, sums of squares, float queries."""

from __future__ import annotations

import triton
import triton.language as tl

from minifloat.backends.triton.codec import decode, decode_fixed
from minifloat.backends.triton.products import LANES, Coordinates, Rows, along, within_one

_FLOAT = tl.constexpr(LANES.index("float"))


@triton.jit
def element_of(rows, column, dim, PACKED: tl.constexpr, LANE: tl.constexpr, FORMAT: tl.constexpr):
    """The lane's elements of some columns of rows, packed or in their lane, zero past the end."""
    BITS: tl.constexpr = 1 + FORMAT.E + FORMAT.M
    inside = rows.there[:, None] & (column < dim)[None, :]
    if PACKED:
        bit = column * BITS
        at = rows.number[:, None] * rows.bytes + (bit // 8)[None, :]
        low = tl.load(rows.data + at, mask=inside, other=0).to(tl.int32)
        spans = inside & (bit % 8 + BITS > 8)[None, :]
        high = tl.load(rows.data + at + 1, mask=spans, other=0).to(tl.int32)
        code = (low | high << 8) >> (bit % 8)[None, :] & ((1 << BITS) - 1)
        if LANE == _FLOAT:
            element = tl.where(inside, decode(code, FORMAT), 0.0)
        else:
            element = tl.where(inside, decode_fixed(code, FORMAT.E, FORMAT.M), 0)
    else:
        at = rows.number[:, None] * dim + column[None, :]
        element = tl.load(rows.data + at, mask=inside, other=0)
    return element


@triton.jit
def pair_scores_kernel(
    a,
    factors,
    a_coordinates,
    b,
    norms,
    b_coordinates,
    pairs,
    pair_count,
    dim,
    row_bytes,
    out,
    A_PACKED: tl.constexpr,
    FORMAT: tl.constexpr,
    AXES: tl.constexpr,
    PAIRS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64) * PAIRS + tl.arange(0, PAIRS)
    there = pair < pair_count
    i = tl.load(pairs + 2 * pair, mask=there, other=0)
    j = tl.load(pairs + 2 * pair + 1, mask=there, other=0)
    LANE: tl.constexpr = FORMAT.LANE
    IS_INTEGER: tl.constexpr = LANE != _FLOAT
    total = tl.zeros((PAIRS,), tl.int64 if IS_INTEGER else tl.float32)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        x = element_of(Rows(a, i, there, row_bytes), column, dim, A_PACKED, LANE, FORMAT)
        y = element_of(Rows(b, j, there, row_bytes), column, dim, True, LANE, FORMAT)
        if IS_INTEGER:
            total += tl.sum(x.to(tl.int64) * y.to(tl.int64), 1)
        else:
            total += tl.sum(x * y, 1)
    factor = tl.load(factors + i, mask=there, other=0.0)
    norm = tl.load(norms + j, mask=there, other=0.0)
    at = out + pair
    score = total.to(tl.float32) * factor * norm
    of_a, of_b = Coordinates(a_coordinates, i, there), Coordinates(b_coordinates, j, there)
    for axis in tl.static_range(AXES):
        score += along(axis, of_a, AXES) * along(axis, of_b, AXES)
    tl.store(at, within_one(score), mask=there)


@triton.jit
def squares_kernel(
    packed,
    out,
    row_count,
    dim,
    row_bytes,
    FORMAT: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """The float64 sums of the squares of decoded rows."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    there = row < row_count
    rows = Rows(packed, row, there, row_bytes)
    total = tl.zeros((ROWS,), tl.float64)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        # Values, whatever the lane, for they alone tell of rows that are not finite.
        x = element_of(rows, column, dim, True, _FLOAT, FORMAT).to(tl.float64)
        total += tl.sum(x * x, 1)
    tl.store(out + row, total, mask=there)


@triton.jit
def wide(x):
    """Values as numbers: float64 as they are, others as float32."""
    if x.dtype == tl.float64:
        number = x
    elif x.dtype == tl.bfloat16:
        # The interpreter's own conversion makes other numbers of subnormal ones.
        bits = x.to(tl.int16, bitcast=True).to(tl.int32) << 16
        number = bits.to(tl.float32, bitcast=True)
    else:
        number = x.to(tl.float32)
    return number


@triton.jit
def to_lane_kernel(values, stride, dim, limit, elements, norms, COLUMNS: tl.constexpr):
    """Queries as elements of a lane, as large as the limit, and their reciprocal norms.

    A program takes a query. It must not be compiled with fused products and sums, for each product
    is rounded.
    """
    row = tl.program_id(0).to(tl.int64)
    IS_DOUBLE: tl.constexpr = values.dtype.element_ty == tl.float64
    WIDE: tl.constexpr = tl.float64 if IS_DOUBLE else tl.float32
    BITS: tl.constexpr = tl.int64 if IS_DOUBLE else tl.int32
    INFINITY: tl.constexpr = 0x7FF0000000000000 if IS_DOUBLE else 0x7F800000
    MAGNITUDE: tl.constexpr = 2**63 - 1 if IS_DOUBLE else 2**31 - 1
    # A factor above the largest number is reached in two steps.
    STEP: tl.constexpr = 2.0**512 if IS_DOUBLE else 2.0**64
    # Sums of this size have no fraction, and the integer in their lowest bits.
    LARGE: tl.constexpr = 1.5 * 2.0**52 if IS_DOUBLE else 1.5 * 2.0**23
    # As integers magnitudes have the same order, infinity and NaN above all others.
    magnitudes = tl.zeros((COLUMNS,), BITS)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        x = wide(tl.load(values + row * stride + column, mask=column < dim, other=0.0))
        magnitudes = tl.maximum(magnitudes, x.to(BITS, bitcast=True) & MAGNITUDE)
    most = tl.max(magnitudes)
    is_finite, largest = most < INFINITY, most.to(WIDE, bitcast=True)
    first = tl.where(largest < 1 / STEP, STEP, 1.0).to(WIDE)
    raised = largest * first
    divisor = tl.where(raised > 0, raised, 1.0).to(WIDE)
    one = tl.full((), 1.0, WIDE)
    reciprocal = one / divisor if IS_DOUBLE else tl.div_rn(one, divisor)
    second = tl.where(raised > 0, reciprocal * limit, 1.0).to(WIDE)
    squares = tl.zeros((COLUMNS,), tl.float64)
    for start in range(0, dim, COLUMNS):
        column = start + tl.arange(0, COLUMNS)
        x = wide(tl.load(values + row * stride + column, mask=column < dim, other=0.0))
        scaled = tl.where(is_finite, x * first * second, 0.0).to(WIDE)
        if elements.dtype.element_ty == tl.float32:
            element = scaled.to(tl.float32)
        else:
            element = (scaled + LARGE).to(BITS, bitcast=True).to(tl.int16)
        tl.store(elements + row * dim + column, element, mask=column < dim)
        number = element.to(tl.float64)
        squares += number * number
    total = tl.sum(squares)
    norm = 1 / tl.sqrt(tl.where(total > 0, total, 1.0).to(tl.float64))
    norm = tl.where(total > 0, norm, 0.0).to(tl.float32)
    tl.store(norms + row, tl.where(is_finite, norm, float("nan")))
