from importlib.metadata import version
from typing import Any

import hypothesis
import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from torch import func

import minifloat as mf
from minifloat.ops.checks import SOURCES
from tests.support import oracles

pytestmark = pytest.mark.gpu

SATURATE = pytest.mark.parametrize("saturate", [True, False], ids=["saturate", "special"])
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
FLOATS = hnp.arrays(np.uint32, st.integers(1, 99), elements=st.integers(0, 2**32 - 1))


def every_code(format: mf.Format) -> NDArray[np.uint8]:
    return np.arange(2**format.bits, dtype=np.uint8)


def hard_values(format: mf.Format, dtype: type = np.float32) -> NDArray[np.floating]:
    """Every value, every midpoint, what lies beyond the largest, and the neighbours of each."""
    finite = format.finite.astype(np.float64)
    step = finite[-1] - finite[-2]
    exact = np.concatenate(
        [finite, (finite[1:] + finite[:-1]) / 2, finite[-1] + step * np.array([0.5, 1, 9])]
    )
    info = np.finfo(dtype)
    extremes = [info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan]
    x: NDArray[np.floating] = np.concatenate([exact, extremes]).astype(dtype)
    with np.errstate(over="ignore"):
        x = np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])
    return np.concatenate([x, -x])


def test_decode_gives_the_value_of_every_code(format: mf.Format, backend: str) -> None:
    codes = every_code(format)
    expected = oracles.decode(codes, format)
    np.testing.assert_array_equal(mf.decode(codes, format), expected)
    assert np.array_equal(np.signbit(mf.decode(codes, format)), np.signbit(expected))
    np.testing.assert_array_equal(format.values, expected)


@SATURATE
def test_gfloat_gives_the_values_of_codes_and_of_numbers_too(
    format: mf.Format, saturate: bool
) -> None:
    gfloat = pytest.importorskip("gfloat")
    values = gfloat.decode_ndarray(oracles.gfloat_format(format), every_code(format))
    np.testing.assert_array_equal(values, oracles.decode(every_code(format), format))
    x = hard_values(format, np.float64)
    x = x[~np.isnan(x)]
    expected = oracles.round_once_by_gfloat(x, format, saturate=saturate)
    np.testing.assert_array_equal(oracles.round_once(x, format, saturate=saturate), expected)


def test_decode_ignores_bits_above_the_formats(format: mf.Format, backend: str) -> None:
    codes = np.arange(256, dtype=np.uint8)
    expected = format.values[codes & (2**format.bits - 1)]
    np.testing.assert_array_equal(mf.decode(codes, format), expected)


def test_encode_inverts_decode(format: mf.Format, backend: str) -> None:
    codes = every_code(format)
    values = mf.decode(codes, format)
    number = ~np.isnan(values)
    back = mf.encode(values, format, saturate=False)
    assert np.array_equal(back[number], codes[number])


@SATURATE
def test_encode_is_right_at_every_boundary(format: mf.Format, backend: str, saturate: bool) -> None:
    x = hard_values(format)
    expected = oracles.encode(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate), expected)


@SATURATE
@hypothesis.given(bits=FLOATS)
def test_encode_is_right_for_any_bits(
    format: mf.Format, backend: str, saturate: bool, bits: NDArray[np.uint32]
) -> None:
    x = bits.view(np.float32)
    expected = oracles.encode(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate), expected)


@SATURATE
def test_encode_rounds_float64_once(format: mf.Format, backend: str, saturate: bool) -> None:
    x = hard_values(format, np.float64)
    x = x[~np.isnan(x)]
    expected = oracles.round_once(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.round(x, format, saturate=saturate), expected)


@SATURATE
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_encode_is_right_for_every_short_float(
    format: mf.Format, backend: str, saturate: bool, dtype: torch.dtype
) -> None:
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(dtype)
    expected = oracles.encode(x.float().numpy(), format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate).numpy(), expected)


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16], ids=lambda t: t.__name__)
def test_short_floats_become_the_codes_that_ml_dtypes_gives_them(
    format: mf.Format, dtype: type
) -> None:
    x: NDArray[Any] = np.arange(2**16, dtype=np.uint16).view(dtype)
    with np.errstate(all="ignore"):
        theirs = x.astype(oracles.ml_dtype(format))
    np.testing.assert_array_equal(mf.encode(x, format, saturate=False), theirs.view(np.uint8))


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
def test_a_float64_beside_a_tie_is_rounded_once_where_others_round_twice(
    format: mf.Format, backend: str
) -> None:
    finite = format.finite.astype(np.float64)
    below = np.nextafter((finite[1:] + finite[:-1]) / 2, 0)
    x = np.concatenate([below, -below])
    # All are nearer to the lower magnitude, and float32 makes ties of them.
    lower = np.concatenate([finite[:-1], -finite[:-1]])
    np.testing.assert_array_equal(mf.round(x, format), lower)
    twice = mf.round(x.astype(np.float32), format)
    assert np.count_nonzero(twice != lower) == 2 * (len(below) // 2)
    # ml_dtypes rounds once since 0.7.
    is_old = tuple(map(int, version("ml_dtypes").split(".")[:2])) < (0, 7)
    theirs = x.astype(oracles.ml_dtype(format)).astype(np.float64)
    np.testing.assert_array_equal(theirs, twice if is_old else lower)
    if format.torch_dtype and format.bits == 8:
        torchs = torch.from_numpy(x).to(format.torch_dtype).double().numpy()
        np.testing.assert_array_equal(torchs, twice)


@hypothesis.given(x=hnp.arrays(np.float64, 50, elements=st.floats(width=64)))
def test_encode_rounds_any_float64_once(
    format: mf.Format, backend: str, x: NDArray[np.float64]
) -> None:
    x = np.concatenate([x, x * 1e-300, x[np.isfinite(x)] % 8])
    number = x[~np.isnan(x)]
    expected = oracles.round_once(number, format, saturate=True)
    np.testing.assert_array_equal(mf.round(number, format), expected)


@hypothesis.given(bits=FLOATS)
def test_encode_is_monotone(format: mf.Format, backend: str, bits: NDArray[np.uint32]) -> None:
    x = np.sort(bits.view(np.float32))
    x = x[~np.isnan(x)]
    assert np.all(np.diff(mf.round(x, format)) >= 0)


@hypothesis.given(bits=FLOATS)
def test_round_gives_a_nearest_value(
    format: mf.Format, backend: str, bits: NDArray[np.uint32]
) -> None:
    x = bits.view(np.float32)
    x = np.clip(x[np.isfinite(x)], -format.max, format.max).astype(np.float64)
    finite = np.concatenate([-format.finite, format.finite]).astype(np.float64)
    nearest = np.abs(finite - x[:, None]).min(1, initial=np.inf)
    np.testing.assert_array_equal(np.abs(mf.round(x, format) - x), nearest)


def test_overflow_saturates_or_becomes_special() -> None:
    x = np.array([1e9, -1e9, np.inf, 465.0], np.float32)
    assert mf.round(x, "e4m3").tolist() == [448, -448, 448, 448]
    assert np.isnan(mf.round(x, "e4m3", saturate=False)).all()
    assert mf.round(x, "e5m2", saturate=False).tolist() == [np.inf, -np.inf, np.inf, 448]
    assert mf.round(x, "e2m1", saturate=False).tolist() == [6, -6, 6, 6]


@pytest.mark.parametrize("dtype", SOURCES, ids=str)
def test_nan_stays_nan_or_becomes_a_zero_of_the_other_sign(
    format: mf.Format, backend: str, dtype: torch.dtype
) -> None:
    bits = torch.tensor([torch.nan]).to(dtype).view(INTEGERS[dtype.itemsize])
    sign = torch.iinfo(bits.dtype).min
    x = torch.cat([bits & ~sign, bits | sign]).view(dtype)
    values = mf.decode(mf.encode(x, format), format)
    if format.specials == "none":
        assert values.tolist() == [0, 0]
        assert values.signbit().tolist() == [True, False]
    else:
        assert values.isnan().all()
        assert values.signbit().tolist() == [False, True]


def test_flush_to_zero_changes_nothing(format: mf.Format, backend: str) -> None:
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.float16)
    expected = mf.encode(x, format), mf.round(x, format)
    torch.set_flush_denormal(True)
    try:
        found = mf.encode(x, format), mf.round(x, format)
    finally:
        torch.set_flush_denormal(False)
    if backend == "eager":
        pytest.skip("plain torch flushes float16 subnormals, as the caller asked")
    for a, b in zip(expected, found, strict=True):
        assert torch.equal(a.view(torch.int8), b.view(torch.int8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_round_keeps_the_dtype(format: mf.Format, backend: str, dtype: torch.dtype) -> None:
    x = torch.linspace(-9, 9, 77).to(dtype)
    rounded = mf.round(x, format)
    assert rounded.dtype == dtype
    assert torch.equal(rounded.float(), mf.decode(mf.encode(x, format), format))


def test_values_of_round_do_not_depend_on_who_differentiates(
    format: mf.Format, backend: str
) -> None:
    x = torch.from_numpy(hard_values(format))
    bits = mf.round(x, format).view(torch.int32)
    assert torch.equal(mf.round(x.clone().requires_grad_(), format).view(torch.int32), bits)
    found = func.jvp(lambda x: mf.round(x, format), (x,), (x,))[0]
    assert torch.equal(found.view(torch.int32), bits)
