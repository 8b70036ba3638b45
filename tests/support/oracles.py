"""What the right answer is, from ml_dtypes and NumPy: never from the code under test.

Codes and values are those of ml_dtypes. Where it has no such type, they are the nearest values and
what docs/reference/formats.md makes of the three facts, in NumPy. gfloat confirms both where it is
installed.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import minifloat as mf

Codes = NDArray[np.uint8]

# Half the distance between neighbouring float32 numbers at 1: what one rounding costs at most.
U = 2.0**-24

IN_ML_DTYPES = [format for format in mf.FORMATS if format.ml_dtype is not None]


def name(format: mf.Format) -> str:
    """Whose codes and values are the right ones."""
    return "NumPy" if format.ml_dtype is None else "ml_dtypes"


def ml_dtype(format: mf.Format) -> np.dtype[Any]:
    """The type of a format that ml_dtypes has."""
    assert format.ml_dtype is not None
    return format.ml_dtype


def encode(x: NDArray[Any], format: mf.Format, *, saturate: bool) -> Codes:
    """Codes by ml_dtypes, which never saturates where it has another answer, or the nearest."""
    if format.ml_dtype is None:
        return nearest(x, format, saturate=saturate)
    if saturate:
        limit = np.asarray(largest(format), x.dtype)
        x = np.where(np.isnan(x), x, np.clip(x, -limit, limit))
    with np.errstate(all="ignore"):
        codes: Codes = x.astype(format.ml_dtype).view(np.uint8)
    return codes & np.uint8(2**format.bits - 1)


def decode(codes: Codes, format: mf.Format) -> NDArray[np.float32]:
    """Values by ml_dtypes, or by the definition."""
    if format.ml_dtype is None:
        return np.take(defined_values(format), codes & np.uint8(2**format.bits - 1))
    values: NDArray[np.float32] = codes.view(format.ml_dtype).astype(np.float32)
    return values


@cache
def defined_values(format: mf.Format) -> NDArray[np.float32]:
    """The value of every code, as docs/reference/formats.md defines it by the three facts."""
    ones = 2**format.mantissa_bits
    exponent, mantissa = np.divmod(np.arange(2 ** (format.bits - 1)), ones)
    bias = 2 ** (format.exponent_bits - 1) - 1
    significand = (mantissa + ones * (exponent > 0)).astype(np.float32)
    positive = np.ldexp(significand, np.maximum(exponent, 1) - bias - format.mantissa_bits)
    if format.specials == "ieee":
        positive[-ones:] = [np.inf, *[np.nan] * (ones - 1)]
    elif format.specials == "nan":
        positive[-1] = np.nan
    return np.concatenate([positive, np.copysign(positive, np.float32(-1))])


def nearest(x: NDArray[Any], format: mf.Format, *, saturate: bool) -> Codes:
    """Codes of the nearest values, ties to even, found among the midpoints of the defined values.

    All in float64, which holds the midpoints, and so with no rounding in between.
    """
    sign_bit = 2 ** (format.bits - 1)
    values = defined_values(format)[:sign_bit].astype(np.float64)
    values = values[np.isfinite(values)]
    # Overflow begins where the next value would, were there one.
    step = 2.0 ** (np.frexp(values[-1])[1] - 1 - format.mantissa_bits)
    middles = (values + np.append(values[1:], values[-1] + step)) / 2
    # NumPy warns of signalling NaN.
    with np.errstate(invalid="ignore"):
        magnitude = np.abs(x.astype(np.float64))
    codes = np.searchsorted(middles, magnitude)
    is_tie = magnitude == np.append(middles, np.nan)[codes]
    codes += is_tie & (codes % 2 == 1)
    saturates = saturate or format.specials == "none"
    codes = np.minimum(codes, len(values) - saturates)
    # The quiet NaN, the only one, or the zero of the other sign.
    quiet = 2 ** (format.mantissa_bits - 1) if format.specials == "ieee" else 0
    codes[np.isnan(x)] = len(values) + quiet
    return (codes ^ np.where(np.signbit(x), sign_bit, 0)).astype(np.uint8)


def largest(format: mf.Format) -> float:
    values = decode(np.arange(2**format.bits, dtype=np.uint8), format)
    return float(values[np.isfinite(values)].max())


def gfloat_format(format: mf.Format) -> Any:
    """The format as gfloat states it, from the three facts."""
    import gfloat

    high_nans = {"ieee": 2**format.mantissa_bits - 1, "nan": 1, "none": 0}[format.specials]
    extended = format.specials == "ieee"
    return gfloat.FormatInfo(
        name=format.name,
        k=format.bits,
        precision=format.mantissa_bits + 1,
        bias=format.bias,
        is_signed=True,
        domain=gfloat.Domain.Extended if extended else gfloat.Domain.Finite,
        has_nz=True,
        num_high_nans=high_nans,
        has_subnormals=True,
        is_twos_complement=False,
    )


def round_once(x: NDArray[np.float64], format: mf.Format, *, saturate: bool) -> NDArray[Any]:
    """Values that numbers round to, float64 too, with no rounding in between."""
    return decode(nearest(x, format, saturate=saturate), format)


def round_once_by_gfloat(x: NDArray[np.float64], format: mf.Format, *, saturate: bool) -> Any:
    """Values that numbers round to by gfloat, in float64 too."""
    import gfloat

    # gfloat has no answer for overflow where a format has no infinity and no NaN.
    saturates = saturate or format.specials == "none"
    with np.errstate(all="ignore"):
        return gfloat.round_ndarray(gfloat_format(format), x, sat=saturates)


def boundaries(format: mf.Format, *, saturate: bool) -> tuple[NDArray[np.uint32], Codes]:
    """For the float32 bit patterns of positive numbers: where a new code starts, and which.

    Found by bisection against `encode`, which is monotone: pattern starts[i] is the first that
    becomes codes[i]. The last start is that of NaN.
    """
    first_nan = np.uint32(0x7F800001)
    starts, codes = [np.uint32(0)], [encode_bits(0, format, saturate=saturate)]
    top = encode_bits(int(first_nan) - 1, format, saturate=saturate)
    while codes[-1] != top:
        low, high = int(starts[-1]), int(first_nan) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if encode_bits(middle, format, saturate=saturate) == codes[-1]:
                low = middle
            else:
                high = middle
        starts.append(np.uint32(high))
        codes.append(encode_bits(high, format, saturate=saturate))
    starts.append(first_nan)
    codes.append(encode_bits(int(first_nan), format, saturate=saturate))
    return np.array(starts), np.array(codes)


def encode_bits(pattern: int, format: mf.Format, *, saturate: bool) -> np.uint8:
    x = np.array([pattern], np.uint32).view(np.float32)
    return np.uint8(encode(x, format, saturate=saturate)[0])


def pack(codes: Codes, bits: int) -> Codes:
    """Dense rows by np.packbits, the layout's own definition."""
    fields = np.unpackbits(codes[..., None], axis=-1, bitorder="little")[..., :bits]
    flat = fields.reshape(*codes.shape[:-1], codes.shape[-1] * bits)
    return np.packbits(flat, axis=-1, bitorder="little")


def unpack(packed: Codes, bits: int, dim: int) -> Codes:
    """Codes of dense rows by np.unpackbits."""
    fields = np.unpackbits(packed, axis=-1, bitorder="little")[..., : dim * bits]
    codes = np.packbits(fields.reshape(*packed.shape[:-1], dim, bits), axis=-1, bitorder="little")
    return codes[..., 0]


def values(rows: mf.PackedVectors) -> NDArray[np.float64]:
    """Rows as `decode` has their codes."""
    codes = unpack(rows.codes.numpy(), rows.format.bits, rows.dim)
    return decode(codes, rows.format).astype(np.float64)


def fixed(rows: mf.PackedVectors) -> NDArray[np.int64]:
    """Values in steps of the format's smallest, which are integers; 0 for what is not finite."""
    finite = np.nan_to_num(values(rows), nan=0, posinf=0, neginf=0)
    steps = finite / np.float64(decode(np.array([1], np.uint8), rows.format)[0])
    integers = steps.astype(np.int64)
    np.testing.assert_array_equal(integers, steps)
    return integers


def cosines(a: mf.PackedVectors, b: mf.PackedVectors) -> NDArray[np.float32]:
    """Scores as the contract of the integer lanes states them, bit for bit."""
    step = decode(np.array([1], np.uint8), a.format)[0]
    dots = (fixed(a) @ fixed(b).T).astype(np.float32) * (step * step)
    halves = dots * a.reciprocal_norms.numpy()[:, None]
    scores: NDArray[np.float32] = halves * b.reciprocal_norms.numpy()
    # Roundings may leave a cosine beyond 1.
    return np.clip(scores, -1, 1)
