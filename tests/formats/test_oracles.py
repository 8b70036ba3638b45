"""The right answers are the right ones, also of formats that ml_dtypes lacks."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf
from tests.proofs import exhaustive
from tests.support import oracles

SATURATE = pytest.mark.parametrize("saturate", [True, False], ids=["saturate", "special"])

# Formats that nobody has, in all ways to spend the top codes; oracles do not look at the lane.
NEW = [
    mf.Format("e1m4", 1, 4, "none", "int8"),
    mf.Format("e2m5", 2, 5, "nan", "int16"),
    mf.Format("e3m2ieee", 3, 2, "ieee", "int16"),
    # Its largest value begins a binade, whose steps are twice as large as those below.
    mf.Format("e2m1nan", 2, 1, "nan", "int8"),
]
ANY = pytest.mark.parametrize("format", [*mf.FORMATS, *NEW], ids=str)


def hard_values() -> NDArray[np.float32]:
    """Every upper half of a float32, with lower halves that decide on which side of a tie it is."""
    upper = np.arange(2**16, dtype=np.uint32) << np.uint32(16)
    lower = np.array([[0], [1], [2**15], [2**16 - 1]], np.uint32)
    return (upper | lower).ravel().view(np.float32)


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
def test_values_are_defined_as_ml_dtypes_has_them(format: mf.Format) -> None:
    values = oracles.decode(np.arange(2**format.bits, dtype=np.uint8), format)
    defined = oracles.defined_values(format)
    np.testing.assert_array_equal(defined, values)
    np.testing.assert_array_equal(np.signbit(defined), np.signbit(values))


@SATURATE
@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
def test_the_nearest_codes_are_those_of_ml_dtypes(format: mf.Format, saturate: bool) -> None:
    x = hard_values()
    expected = oracles.encode(x, format, saturate=saturate)
    np.testing.assert_array_equal(oracles.nearest(x, format, saturate=saturate), expected)


@ANY
def test_values_are_defined_as_gfloat_has_them(format: mf.Format) -> None:
    import gfloat

    codes = np.arange(2**format.bits, dtype=np.uint8)
    values = gfloat.decode_ndarray(oracles.gfloat_format(format), codes)
    np.testing.assert_array_equal(oracles.defined_values(format), values)


@SATURATE
@ANY
def test_the_nearest_values_are_those_of_gfloat(format: mf.Format, saturate: bool) -> None:
    x = hard_values()[~np.isnan(hard_values())].astype(np.float64)
    expected = oracles.round_once_by_gfloat(x, format, saturate=saturate)
    np.testing.assert_array_equal(oracles.round_once(x, format, saturate=saturate), expected)


@pytest.mark.parametrize("format", NEW, ids=str)
def test_a_format_that_ml_dtypes_lacks_has_an_oracle(format: mf.Format) -> None:
    assert format.ml_dtype is None
    assert oracles.name(format) == "NumPy"
    codes = np.arange(2**format.bits, dtype=np.uint8)
    values = oracles.decode(codes, format)
    number = ~np.isnan(values)
    back = oracles.encode(values, format, saturate=False)
    np.testing.assert_array_equal(back[number], codes[number])
    assert oracles.largest(format) == float(oracles.gfloat_format(format).max)


@SATURATE
@ANY
def test_the_exhaustive_proof_expects_the_codes_of_the_oracle(
    format: mf.Format, saturate: bool
) -> None:
    table = oracles.boundaries(format, saturate=saturate)
    exhaustive.check_table(format, *table, saturate=saturate)
    encode = exhaustive.encoder(format, "oracle")
    # Chunks around 1, -1, and where infinity and NaN begin.
    for value in (1, -1, np.inf):
        first = int(np.float32(value).view(np.uint32)) - exhaustive.CHUNK // 2
        first -= first % exhaustive.CHUNK
        patterns = np.arange(first, first + exhaustive.CHUNK, dtype=np.uint32)
        expected = exhaustive.expected_codes(format, *table, first)
        np.testing.assert_array_equal(encode(patterns.view(np.float32), saturate), expected)


def test_every_format_has_the_digest_of_its_codes() -> None:
    recorded = json.loads(exhaustive.DIGESTS.read_text())
    missing = [f.name for f in mf.FORMATS if f.name not in recorded]
    told = f"scripts/test --exhaustive --formats {','.join(missing)}"
    assert not missing, (
        f"`{told}` proves the codes and prints the line for tests/proofs/digests.json"
    )
