"""What a code means and which code a value becomes, in Triton, and the elementwise kernels.

`csrc/format/codec.h` says the same and why. A format comes as its three facts: E exponent bits, M
mantissa bits, and SPECIALS, an index into `SPECIALS_NAMES`; or together, as a `Facts`.
"""

from __future__ import annotations

import triton
import triton.language as tl

SPECIALS_NAMES = ("ieee", "nan", "none")

_IEEE = tl.constexpr(SPECIALS_NAMES.index("ieee"))
_NONE = tl.constexpr(SPECIALS_NAMES.index("none"))


@triton.constexpr_function
def max_code(E, M, SPECIALS):
    """The code of the largest finite value."""
    if _IEEE.value == SPECIALS:
        return ((1 << E) - 1 << M) - 1
    return (1 << (E + M)) - (1 if _NONE.value == SPECIALS else 2)


@triton.jit
def moved(word, BY: tl.constexpr):
    """Words shifted to the left, or by a negative number to the right."""
    return word << BY if BY >= 0 else word >> -BY


@triton.jit
def fields(
    word, E: tl.constexpr, M: tl.constexpr, AT: tl.constexpr, SIGN: tl.constexpr, TOP: tl.constexpr
):
    """The codes from bit AT of int32 words on, their sign moved to bit SIGN, the rest TOP bits up.

    So they are the bits of a float with wider fields; bits above its sign may be anything.
    """
    sign = moved(word, SIGN - AT - E - M) & -(1 << SIGN)
    return sign | (moved(word, TOP - AT) & ((1 << (E + M)) - 1 << TOP))


@triton.jit
def decode(codes, FORMAT: tl.constexpr):
    """The float32 values of int32 codes; bits above the format's are ignored."""
    E: tl.constexpr = FORMAT.E
    M: tl.constexpr = FORMAT.M
    SPECIALS: tl.constexpr = FORMAT.SPECIALS
    BIAS: tl.constexpr = (1 << (E - 1)) - 1
    MAX_CODE: tl.constexpr = max_code(E, M, SPECIALS)
    STEP: tl.constexpr = 2.0 ** (1 - BIAS - M)
    magnitude = codes & ((1 << (E + M)) - 1)
    subnormal = (magnitude.to(tl.float32) * STEP).to(tl.int32, bitcast=True)
    normal = (magnitude << (23 - M)) + ((127 - BIAS) << 23)
    bits = tl.where(magnitude < (1 << M), subnormal, normal)
    special = 0x7FC00000
    if SPECIALS == _IEEE:
        special = tl.where(magnitude == MAX_CODE + 1, 0x7F800000, special)
    bits = tl.where(magnitude > MAX_CODE, special, bits)
    negative = (codes >> (E + M)) & 1
    return (bits | (negative << 31)).to(tl.float32, bitcast=True)


@triton.jit
def decode_half(word, E: tl.constexpr, M: tl.constexpr, AT: tl.constexpr):
    """The float16 values of the codes from bit AT of int32 words on; NaN may become some number."""
    bits = fields(word, E, M, AT, 15, 10 - M)
    return bits.to(tl.int16).to(tl.float16, bitcast=True) * (2.0 ** (16 - (1 << (E - 1))))


@triton.jit
def decode_steps(
    word, E: tl.constexpr, M: tl.constexpr, AT: tl.constexpr, FUSED: tl.constexpr = True
):
    """The values of the codes from bit AT of int32 words on, in smallest steps, in the low 22 bits.

    Infinity and NaN become some number.
    """
    # Adding so much leaves the steps in the last bits of the sum.
    MAGIC: tl.constexpr = 1.5 * 2.0 ** (24 - M)
    value = fields(word, E, M, AT, 31, 23 - M).to(tl.float32, bitcast=True)
    # The product is exact; joined to the sum it costs nothing where kernels must not fuse others.
    steps = tl.fma(value, 2.0**127, MAGIC) if FUSED else value * 2.0**127 + MAGIC
    return steps.to(tl.int32, bitcast=True)


@triton.jit
def decode_fixed(codes, E: tl.constexpr, M: tl.constexpr):
    """The values of int32 codes in smallest steps; infinity and NaN become some number."""
    # LLVM makes fewer instructions of the scores of pairs where it fuses by itself.
    steps = decode_steps(codes, E, M, 0, FUSED=False)
    return steps << 10 >> 10


@triton.jit
def encode(x, FORMAT: tl.constexpr, SATURATE: tl.constexpr):
    """The int32 codes nearest to float32 values, ties to even."""
    E: tl.constexpr = FORMAT.E
    M: tl.constexpr = FORMAT.M
    SPECIALS: tl.constexpr = FORMAT.SPECIALS
    SHIFT: tl.constexpr = 23 - M
    MIN_NORMAL: tl.constexpr = (127 + 1 - ((1 << (E - 1)) - 1)) << 23
    SIGN: tl.constexpr = 1 << (E + M)
    MAX_CODE: tl.constexpr = max_code(E, M, SPECIALS)
    TOP_CODE: tl.constexpr = MAX_CODE + (0 if SATURATE or SPECIALS == _NONE else 1)
    TOP: tl.constexpr = (TOP_CODE << SHIFT) + MIN_NORMAL - (1 << 23)
    START: tl.constexpr = -(MIN_NORMAL >> SHIFT) & 0xFF
    NAN: tl.constexpr = MAX_CODE + 1 + (1 << (M - 1) if SPECIALS == _IEEE else 0)
    bits = x.to(tl.int32, bitcast=True)
    magnitude = bits & 0x7FFFFFFF
    clamped = tl.minimum(magnitude, TOP)
    binade = tl.maximum(clamped, MIN_NORMAL) & 0x7F800000
    magic = (binade + ((SHIFT << 23) + START)).to(tl.float32, bitcast=True)
    steps = (clamped.to(tl.float32, bitcast=True) + magic).to(tl.int32, bitcast=True)
    number = tl.where(magnitude > 0x7F800000, NAN, steps + (binade >> SHIFT))
    return ((bits >> (32 - 1 - E - M)) & SIGN ^ number) & 0xFF


@triton.jit
def to_float32(x):
    """Values of any float type as float32 that encode alike: float64 is rounded to odd."""
    bits = x.to(tl.float32).to(tl.int32, bitcast=True)
    if x.dtype == tl.float64:
        back = x.to(tl.float32).to(tl.float64)
        away = (tl.abs(back) > tl.abs(x)).to(tl.int32)
        inexact = (back != x).to(tl.int32)
        bits = (bits - away) | inexact
    if x.dtype != tl.float32:
        # A GPU's conversions give every NaN the same sign.
        OWN: tl.constexpr = tl.int64 if x.dtype == tl.float64 else tl.int16
        negative = (x.to(OWN, bitcast=True) < 0).to(tl.int32)
        bits = (bits & 0x7FFFFFFF) | (negative << 31)
    return bits.to(tl.float32, bitcast=True)


@triton.jit
def encode_kernel(
    values,
    codes,
    count,
    FORMAT: tl.constexpr,
    SATURATE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    x = to_float32(tl.load(values + i, mask=i < count, other=0.0))
    tl.store(codes + i, encode(x, FORMAT, SATURATE).to(tl.uint8), mask=i < count)


@triton.jit
def decode_kernel(codes, values, count, FORMAT: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    code = tl.load(codes + i, mask=i < count, other=0).to(tl.int32)
    tl.store(values + i, decode(code, FORMAT), mask=i < count)


@triton.jit
def pack_kernel(
    source,
    packed,
    groups,
    groups_a_row,
    dim,
    row_pieces,
    FORMAT: tl.constexpr,
    SATURATE: tl.constexpr,
    ENCODES: tl.constexpr,
    ONE_ROW: tl.constexpr,
    PIECE_BITS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Pack groups of eight codes, or of values to encode, as integers of PIECE_BITS."""
    BITS: tl.constexpr = 1 + FORMAT.E + FORMAT.M
    PIECES: tl.constexpr = 8 * BITS // PIECE_BITS
    PADDED: tl.constexpr = triton.next_power_of_2(PIECES)
    group = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    # A division of int64 takes as long as the rest.
    row = tl.zeros_like(group) if ONE_ROW else group // groups_a_row
    group_of_row = group - row * groups_a_row
    place = tl.arange(0, 8)
    column = (group_of_row * 8)[:, None] + place[None, :]
    there = (group < groups)[:, None] & (column < dim)
    x = tl.load(source + row[:, None] * dim + column, mask=there, other=0)
    if ENCODES:
        code = tl.where(there, encode(to_float32(x), FORMAT, SATURATE), 0)
    else:
        code = x.to(tl.int32) & ((1 << BITS) - 1)
    whole = tl.sum(code.to(tl.int64) << (place * BITS)[None, :].to(tl.int64), 1)
    piece = tl.arange(0, PADDED)
    part = whole[:, None] >> (piece * PIECE_BITS)[None, :].to(tl.int64)
    at = (group_of_row * PIECES)[:, None] + piece[None, :]
    inside = (group < groups)[:, None] & (piece < PIECES)[None, :] & (at < row_pieces)
    part = part.to(packed.dtype.element_ty)
    tl.store(packed + row[:, None] * row_pieces + at, part, mask=inside)


@triton.jit
def unpack_kernel(
    packed,
    codes,
    count,
    dim,
    row_bytes,
    BITS: tl.constexpr,
    ONE_ROW: tl.constexpr,
    BLOCK: tl.constexpr,
):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    row = tl.zeros_like(i) if ONE_ROW else i // dim
    bit = (i - row * dim) * BITS
    at = row * row_bytes + bit // 8
    low = tl.load(packed + at, mask=i < count, other=0).to(tl.int32)
    # A code that ends in its first byte needs no second one, which may not be there.
    spans = (i < count) & (bit % 8 + BITS > 8)
    high = tl.load(packed + at + 1, mask=spans, other=0).to(tl.int32)
    code = (low | high << 8) >> (bit % 8).to(tl.int32) & ((1 << BITS) - 1)
    tl.store(codes + i, code.to(tl.uint8), mask=i < count)
