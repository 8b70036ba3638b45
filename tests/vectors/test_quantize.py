"""Rows that `quantize` scales and packs, and what they decode to."""

import re
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

import minifloat as mf
from minifloat.backends import cpu, quantizing
from minifloat.scaling import amax, scale_rows
from tests.support import oracles
from tests.support.rows import normal

pytestmark = pytest.mark.gpu

DIMS = [1, 7, 9, 17, 65, 192, 511, 2183]


def scaled_by_hand(x: NDArray[np.float32], format: mf.Format) -> NDArray[np.float32]:
    """Rows times F_max / E_max, in float32."""
    largest = np.abs(x).max(1, keepdims=True)
    scaled: NDArray[np.float32] = x * (np.float32(oracles.largest(format)) / largest)
    return scaled


def test_quantize_encodes_rows_times_f_max_over_e_max(format: mf.Format, backend: str) -> None:
    for dim in DIMS:
        x = normal(5, dim).numpy()
        codes = oracles.encode(scaled_by_hand(x, format), format, saturate=True)
        rows = mf.quantize(x, format)
        np.testing.assert_array_equal(rows.codes.numpy(), oracles.pack(codes, format.bits))
        assert (len(rows), rows.dim, rows.format) == (5, dim, format)


def test_without_a_scale_values_are_taken_as_they_are(format: mf.Format, backend: str) -> None:
    x = normal(6, 17).numpy() * np.float32(9)
    x[2, 3] = 1e9
    for saturate in (True, False):
        codes = oracles.encode(x, format, saturate=saturate)
        rows = mf.quantize(x, format, scale="none", saturate=saturate)
        np.testing.assert_array_equal(rows.codes.numpy(), oracles.pack(codes, format.bits))


def test_saturation_does_not_matter_to_scaled_rows(format: mf.Format, backend: str) -> None:
    x = normal(200, 33)
    saturated, special = (mf.quantize(x, format, saturate=saturate) for saturate in (True, False))
    assert torch.equal(saturated.codes, special.codes)


def test_the_largest_magnitude_becomes_the_formats_largest(format: mf.Format, backend: str) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        values = mf.quantize(normal(300, 9).to(dtype), format).dequantize()
        assert torch.all(values.abs().amax(1) == format.max)


@pytest.mark.parametrize("chunk", [1, 9, 100, 449, 450])
def test_many_rows_are_quantized_as_each_alone(
    format: mf.Format, backend: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = normal(50, 9)
    x[7] = 0
    whole = mf.quantize(x, format)
    assert whole == mf.PackedVectors.cat([mf.quantize(row[None], format) for row in x])
    # On other devices so many values are scaled at once; on the CPU those of a column are copied.
    monkeypatch.setattr(quantizing, "_CHUNK", chunk)
    monkeypatch.setattr(cpu, "_COPIED", chunk)
    for rows in (x, x.T.contiguous().T, torch.cat([x, x], 1)[:, :9]):
        assert mf.quantize(rows, format) == whole


@pytest.mark.parametrize("scale", ["amax", "none"])
@pytest.mark.parametrize("saturate", [True, False])
def test_quantize_is_scaling_in_torch_then_packing(
    format: mf.Format, isa: str, scale: Any, saturate: bool
) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        # Of all magnitudes, in rows longer than what is encoded at once.
        x = normal(20, 1030).double() * 2.0 ** torch.linspace(-140, 130, 20)[:, None]
        x[3] = 0
        x = x.to(dtype).nan_to_num(posinf=1, neginf=-1)
        found = mf.quantize(x, format, scale=scale, saturate=saturate)
        scaled = scale_rows(x, amax(x), format.max) if scale == "amax" else x
        packed = mf.encode_pack(scaled, format, saturate=saturate)
        assert torch.equal(found.codes, packed)
        norms = torch.ops.minifloat.reciprocal_norms(packed, format.name, 1030)
        assert torch.equal(found.reciprocal_norms.view(torch.int32), norms.view(torch.int32))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_row_that_is_not_finite_is_named(isa: str, threads: int) -> None:
    x = torch.ones(40_000, 9)
    x[[31_234, 39_999, 23_456], [0, 8, 4]] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with pytest.raises(ValueError, match=r"^row 23456 of x holds NaN or infinity"):
            mf.quantize(x, mf.E2M1)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rows_of_any_magnitude_keep_their_direction(
    format: mf.Format, backend: str, dtype: torch.dtype
) -> None:
    info = torch.finfo(dtype)
    # Powers of two, which scaling multiplies without rounding wherever they stand.
    direction = torch.tensor([1, -0.5, 0, 1, 1], dtype=dtype)
    expected = mf.quantize(direction[None].float(), format)
    smallest = info.smallest_normal * info.eps
    for magnitude in (info.max / 4, 1.0, info.smallest_normal, smallest * 8, smallest * 2):
        size = 2.0 ** np.floor(np.log2(magnitude))
        rows = mf.quantize(direction[None] * size, format)
        assert torch.equal(rows.codes, expected.codes)
    only = torch.tensor([[smallest, 0, -smallest], [info.max, 0, -info.max]], dtype=dtype)
    assert mf.quantize(only, format).dequantize().tolist() == [[format.max, 0, -format.max]] * 2


@hypothesis.given(exponent=st.integers(-80, 80), seed=st.integers(0, 9))
def test_a_power_of_two_changes_no_code(
    format: mf.Format, backend: str, exponent: int, seed: int
) -> None:
    # Rounded, so that no value is a float32 subnormal at any of these exponents.
    x = normal(4, 9, seed).mul(64).round() / 64
    rows, other = mf.quantize(x, format), mf.quantize(x * 2.0**exponent, format)
    assert torch.equal(rows.codes, other.codes)
    assert torch.equal(rows.reciprocal_norms, other.reciprocal_norms)


def test_a_zero_row_has_reciprocal_norm_zero(format: mf.Format, backend: str) -> None:
    x = torch.tensor([[0.0, 0.0, 0.0], [0.0, -0.0, 0.0], [1.0, 0.0, 0.0]])
    rows = mf.quantize(x, format)
    assert torch.equal(rows.dequantize()[:2], torch.zeros(2, 3))
    assert (rows.reciprocal_norms == 0).tolist() == [True, True, False]
    # All of the row is rounded to zero.
    tiny = torch.full((1, 3), format.smallest_subnormal / 4)
    assert mf.quantize(tiny, format, scale="none").reciprocal_norms.tolist() == [0]


def test_reciprocal_norms_are_those_of_the_decoded_rows(format: mf.Format, backend: str) -> None:
    for dim in DIMS:
        rows = mf.quantize(normal(20, dim), format)
        norms = 1 / np.linalg.norm(oracles.values(rows), axis=1)
        found = rows.reciprocal_norms.numpy()
        # A sum in float64 is right to far less than a float32 step, which then rounds once.
        assert np.all(np.abs(found - norms) <= np.spacing(norms.astype(np.float32)))
        if format.lane != "float":
            np.testing.assert_array_equal(found, norms.astype(np.float32))


def test_a_row_that_is_not_finite_is_refused_by_number(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for chunk in (1, 30, 1 << 18):
        monkeypatch.setattr(quantizing, "_CHUNK", chunk)
        for value in (torch.nan, torch.inf, -torch.inf):
            for scale in ("amax", "none"):
                x = normal(20, 9)
                x[[13, 17], 5] = value
                message = "row 13 of x holds NaN or infinity; all values must be finite"
                with pytest.raises(ValueError, match=f"^{message}$"):
                    mf.quantize(x, mf.E4M3, scale=scale)


def test_rows_of_another_kind_are_refused() -> None:
    for shape in ((3,), (2, 3, 4), (), (3, 0)):
        message = f"x must have shape (rows, dim), dim at least 1; got {shape}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.quantize(torch.zeros(shape), "e2m1")
    for dtype in (torch.int32, torch.bool, torch.complex64, torch.float8_e5m2):
        name = str(dtype).removeprefix("torch.")
        message = f"x must be one of float16, bfloat16, float32, float64; got {name}"
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.quantize(torch.zeros(2, 3, dtype=dtype), "e2m1")
    with pytest.raises(ValueError, match=r"^scale must be one of amax, cosine, none; got 'max'$"):
        mf.quantize(torch.zeros(2, 3), "e2m1", scale="max")  # type: ignore[arg-type]


def test_arrays_and_tensors_of_any_stride_become_the_same_rows(
    format: mf.Format, backend: str
) -> None:
    x = normal(9, 17)
    expected = mf.quantize(x, format).codes
    wide = torch.zeros(18, 34)
    wide[::2, ::2] = x
    for same in (x.numpy(), np.asfortranarray(x), x.T.contiguous().T, wide[::2, ::2], x.double()):
        assert torch.equal(mf.quantize(same, format).codes, expected)
    assert torch.equal(mf.quantize(x.numpy()[::-1], format).codes, expected.flip(0))


def test_no_rows_are_quantized(format: mf.Format, backend: str) -> None:
    rows = mf.quantize(torch.zeros(0, 9), format)
    assert rows.codes.shape == (0, format.row_bytes(9))
    assert (len(rows), rows.nbytes, rows.dequantize().shape) == (0, 0, (0, 9))


def test_dequantize_gives_the_values_of_the_codes(format: mf.Format, backend: str) -> None:
    for dim in DIMS:
        rows = mf.quantize(normal(3, dim), format)
        np.testing.assert_array_equal(rows.dequantize().numpy(), oracles.values(rows))
