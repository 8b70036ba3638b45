import copy
import pickle
import re
from collections.abc import Callable
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
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
from minifloat.vectors import copying
from tests.support import oracles

pytestmark = pytest.mark.gpu

DIMS = [1, 7, 9, 17, 65, 192, 511, 2183]


def normal(rows: int, dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


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
    with pytest.raises(ValueError, match=r"^scale must be one of amax, none; got 'max'$"):
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


def assert_rows(found: mf.PackedVectors, rows: mf.PackedVectors, numbers: list[int]) -> None:
    assert (found.format, found.dim, len(found)) == (rows.format, rows.dim, len(numbers))
    assert torch.equal(found.codes, rows.codes[torch.tensor(numbers, dtype=torch.int64)])
    norms = torch.stack([rows.reciprocal_norms[n] for n in numbers]) if numbers else torch.zeros(0)
    assert torch.equal(found.reciprocal_norms, norms)


def test_rows_are_chosen_as_in_a_tensor(format: mf.Format) -> None:
    rows = mf.quantize(normal(6, 9), format)
    mask = torch.tensor([True, False, False, True, False, True])
    for index, numbers in (
        (0, [0]),
        (5, [5]),
        (-1, [5]),
        (-6, [0]),
        (np.int64(4), [4]),
        (torch.tensor(4), [4]),
        (slice(None), [0, 1, 2, 3, 4, 5]),
        (slice(1, 5, 2), [1, 3]),
        (slice(-2, None), [4, 5]),
        (slice(4, 2), []),
        (slice(None, None, -1), [5, 4, 3, 2, 1, 0]),
        (slice(4, 1, -2), [4, 2]),
        (slice(-1, -3, -1), [5, 4]),
        (slice(99, None, -4), [5, 1]),
        (slice(1, 4, -1), []),
        ([3, 3, -1], [3, 3, 5]),
        ([], []),
        (mask.tolist(), [0, 3, 5]),
        (mask, [0, 3, 5]),
        (~mask & mask, []),
        (torch.tensor([2, 0, 2]), [2, 0, 2]),
        (torch.tensor([], dtype=torch.int64), []),
        (np.array([5, 1]), [5, 1]),
        (mask.numpy(), [0, 3, 5]),
        (range(2, 4), [2, 3]),
    ):
        assert_rows(rows[index], rows, numbers)
    assert rows[1:3].codes.data_ptr() == rows.codes[1].data_ptr()
    assert [float(row.reciprocal_norms) for row in rows] == rows.reciprocal_norms.tolist()  # type: ignore[attr-defined]


INTEGERS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i2", ">u2", ">i4", ">u4", ">i8")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_of_every_type_pick_the_rows_that_numpy_gives(dtype: str) -> None:
    rows = mf.quantize(normal(6, 9), "e4m3")
    codes = rows.codes.numpy()
    wide = np.array([[2, 9], [0, 9], [1, 9], [5, 9]], dtype)
    arrays = [wide[:, 0], wide[::-1, 0], wide[:2, 0].copy(), wide[0, 0], wide[:0, 0], wide[0, :1]]
    arrays += [np.array(3, dtype), np.array([1, 0, 1, 0, 1, 0], dtype)]
    if "i" in dtype:
        arrays.append(np.array([-1, -6, 3], dtype))
    for index in arrays:
        native = index.astype(index.dtype.newbyteorder("="))
        listed = [*native] if native.ndim else [native[()]]
        for same in (index, torch.from_numpy(np.ascontiguousarray(native)), listed):
            wanted = codes[index].reshape(-1, 9)
            np.testing.assert_array_equal(rows[same].codes.numpy(), wanted)


def test_one_row_is_a_view_whoever_names_it() -> None:
    rows = mf.quantize(normal(6, 9), "e4m3")
    for index in (4, np.int64(4), np.uint8(4), slice(np.uint8(4), np.int16(5), np.int8(1))):
        assert rows[index].codes.data_ptr() == rows.codes[4].data_ptr()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(5, np.bool_), "a mask must have shape (6,); got (5,)"),
        (torch.ones(6, 1, dtype=torch.bool), "a mask must have shape (6,); got (6, 1)"),
        ([True], "a mask must have shape (6,); got (1,)"),
        (True, "a mask must have shape (6,); got ()"),
        (np.True_, "a mask must have shape (6,); got ()"),
        ((2, 0), "rows must be picked along 1 dimension; got a tuple, (2, 0)"),
        (torch.zeros(2, 2).long(), "rows must be picked along 1 dimension; got 2"),
        *(
            (wrong, f"rows must be picked by integers, a slice or a bool mask; got {name}")
            for wrong, name in (
                ([0.5], "float64"),
                (np.zeros(0), "float64"),
                (np.float32(1), "float32"),
                (torch.zeros(1), "torch.float32"),
                (torch.zeros(1, dtype=torch.complex64), "torch.complex64"),
                ("1", "<U1"),
                (np.array([1], object), "object"),
                (None, "object"),
                (..., "object"),
            )
        ),
    ],
    ids=repr,
)
def test_what_picks_no_rows_is_refused(wrong: Any, message: str) -> None:
    rows = mf.quantize(normal(6, 9), "e4m3")
    with pytest.raises(IndexError, match=f"^{re.escape(message)}$"):
        rows[wrong]


def test_a_slice_takes_the_rows_that_it_takes_of_a_list(format: mf.Format) -> None:
    for count in (0, 1, 4):
        rows = mf.quantize(normal(count, 9), format)
        bounds = (None, *range(-count - 1, count + 2))
        for start in bounds:
            for stop in bounds:
                for step in (None, 1, 2, 5, -1, -2, -5):
                    index = slice(start, stop, step)
                    assert_rows(rows[index], rows, list(range(count))[index])
    with pytest.raises(ValueError, match=r"^slice step cannot be zero$"):
        rows[::0]


def test_rows_out_of_range_are_refused() -> None:
    rows = mf.quantize(normal(6, 9), "e2m1")
    for row in (6, -7, np.int64(6), np.int8(-7)):
        with pytest.raises(IndexError, match=f"^row {row} is out of range for 6 rows$"):
            rows[row]
    with pytest.raises(IndexError, match=r"^row 0 is out of range for 0 rows$"):
        rows[:0][0]
    for wrong in ([6], torch.tensor([-7]), np.array(6)):
        with pytest.raises(IndexError, match="is out of bounds for dimension 0 with size 6"):
            rows[wrong]


def test_cat_puts_parts_together(format: mf.Format) -> None:
    rows = mf.quantize(normal(6, 9), format)
    whole = mf.PackedVectors.cat([rows[:2], rows[2:2], rows[2:]])
    assert_rows(whole, rows, list(range(6)))
    assert_rows(mf.PackedVectors.cat([rows]), rows, list(range(6)))


def test_cat_refuses_parts_that_do_not_match() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    for other, kind in (
        (mf.quantize(normal(2, 8), "e2m1"), "dim 8 in e2m1, dim 9 in e2m1"),
        (mf.quantize(normal(2, 9), "e2m3"), "dim 9 in e2m1, dim 9 in e2m3"),
    ):
        with pytest.raises(ValueError, match=f"^cat needs one format and dim; got {kind}$"):
            mf.PackedVectors.cat([rows, other])
    with pytest.raises(ValueError, match=r"^cat needs at least one PackedVectors; got none$"):
        mf.PackedVectors.cat([])
    with pytest.raises(TypeError, match=r"^cat takes PackedVectors; got Tensor$"):
        mf.PackedVectors.cat([rows, rows.codes])  # type: ignore[list-item]


def test_rows_are_copied_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_AT_ONCE", 40)
    rows = mf.quantize(normal(23, 13), "e2m3")
    both = mf.PackedVectors.cat([rows, rows[:0], rows[5:9]])
    assert_rows(both, rows, [*range(23), *range(5, 9)])
    mask = torch.arange(23) % 3 == 1
    assert_rows(rows[mask], rows, [1, 4, 7, 10, 13, 16, 19, 22])
    assert_rows(rows[[-1, 3, 3, 0] * 3], rows, [22, 3, 3, 0] * 3)
    assert_rows(rows[::-2], rows, [*range(22, -1, -2)])
    for bad in (torch.ones(22, dtype=torch.bool), torch.tensor([0] * 10 + [23]), [0.5] * 9):
        with pytest.raises(IndexError):
            rows[bad]


def test_rows_of_several_devices_are_not_joined() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    with pytest.raises(ValueError, match=r"^cat needs rows on one device; got cpu, meta$"):
        mf.PackedVectors.cat([rows, rows.to("meta")])


def test_rows_move_to_another_device(format: mf.Format) -> None:
    rows = mf.quantize(normal(4, 9), format)
    assert_rows(rows.to("cpu"), rows, [0, 1, 2, 3])
    moved = rows.to("meta")
    assert moved.device == moved.reciprocal_norms.device == torch.device("meta")
    assert (len(moved), moved.dim, moved.format) == (4, 9, format)
    assert moved.dequantize().shape == (4, 9)
    assert mf.scores(moved, moved).shape == (4, 4)


def test_nbytes_are_codes_and_one_float_a_row(format: mf.Format) -> None:
    rows = mf.quantize(normal(10, 13), format)
    assert rows.nbytes == 10 * ((13 * format.bits + 7) // 8 + 4)


def test_repr_says_what_there_is() -> None:
    rows = mf.quantize(normal(200, 192), "e2m1")
    assert repr(rows) == (
        "PackedVectors(200 x 192 e2m1, 20,000 bytes, 7.68x smaller than float32, cpu)"
    )
    assert repr(rows[:0].to("meta")) == (
        "PackedVectors(0 x 192 e2m1, 0 bytes, 1.00x smaller than float32, meta)"
    )


def test_rows_cannot_be_changed_by_assignment() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    with pytest.raises(AttributeError, match="cannot assign to field 'dim'"):
        rows.dim = 8  # type: ignore[misc]


def test_the_shape_is_rows_and_dim(format: mf.Format) -> None:
    rows = mf.quantize(normal(5, 9), format)
    assert isinstance(rows.shape, torch.Size)
    assert rows.shape == rows.dequantize().shape == (5, 9)
    assert rows[:0].shape == (0, 9)
    assert rows.to("meta").shape == (5, 9)


def test_packed_vectors_are_no_array_of_values() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    message = "PackedVectors hold codes, not values: call dequantize() for float32 rows"
    functions: list[Callable[[], object]] = [
        lambda: np.asarray(rows),
        lambda: np.array([rows, rows]),
        lambda: np.asarray(rows, np.float64),
        lambda: np.ones((2, 9)) @ rows,
    ]
    for function in functions:
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            function()


def test_what_is_in_packed_vectors_is_not_asked_with_in() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    message = (
        "PackedVectors do not tell what is in them: search finds the nearest rows, and "
        "(vectors.dequantize() == row).all(1) those that decode to a row"
    )
    for row in (rows[0], normal(1, 9)[0], 3):
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            row in rows  # noqa: B015


def test_packed_vectors_are_equal_if_all_they_hold_is(format: mf.Format) -> None:
    rows = mf.quantize(normal(4, 9), format)
    assert rows == rows[:]
    assert rows == mf.quantize(normal(4, 9), format)
    assert rows[:0] == rows[2:2]
    norms = rows.reciprocal_norms
    changed = rows.codes.clone()
    changed[3, 0] ^= 1
    for other in (
        rows[:3],
        rows[::-1],
        mf.PackedVectors(changed, norms, format, 9),
        mf.PackedVectors(rows.codes, norms * 2, format, 9),
        mf.PackedVectors(rows.codes, norms * torch.nan, format, 9),
        *(mf.quantize(normal(4, 9), other) for other in mf.FORMATS if other != format),
        rows.codes,
        4,
        None,
    ):
        assert rows != other
    short = mf.quantize(normal(4, 8), format)
    longer = mf.PackedVectors(rows.codes, norms, format, 8)
    assert rows not in [short, longer]


def test_rows_that_are_not_finite_equal_themselves() -> None:
    x = torch.tensor([[1.0, 1e9, 2.0], [1.0, 2.0, 3.0]])
    rows, same = (mf.quantize(x, "e5m2", scale="none", saturate=False) for _ in range(2))
    assert rows.reciprocal_norms.isnan().tolist() == [True, False]
    assert rows == same


def test_packed_vectors_have_no_hash() -> None:
    with pytest.raises(TypeError, match=r"^unhashable type: 'PackedVectors'$"):
        hash(mf.quantize(normal(2, 9), "e2m1"))


def saved_and_loaded(what: object) -> Any:
    file = BytesIO()
    torch.save(what, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_torch_saves_packed_vectors_and_loads_weights_only(
    format: mf.Format, tmp_path: Path
) -> None:
    rows = mf.quantize(normal(4, 9), format)
    rows.save(tmp_path / "rows.safetensors")
    mapped = mf.PackedVectors.load(tmp_path / "rows.safetensors")
    found = saved_and_loaded({"rows": rows, "some": rows[1:3], "mapped": mapped})
    assert found == {"rows": rows, "some": rows[1:3], "mapped": rows}
    assert found["rows"].format is format
    assert saved_and_loaded(format) is format


def test_copies_and_pickles_of_packed_vectors_are_equal(format: mf.Format) -> None:
    rows = mf.quantize(normal(4, 9), format)
    copies = [pickle.loads(pickle.dumps(rows, protocol)) for protocol in (2, 3, 4, 5)]
    for same in (*copies, copy.copy(rows), deep := copy.deepcopy(rows)):
        assert same == rows
        assert same.format is format
    assert deep.codes.data_ptr() != rows.codes.data_ptr()
    assert copy.copy(rows).codes.data_ptr() == rows.codes.data_ptr()


def test_copies_and_pickles_of_a_format_are_the_format_itself(format: mf.Format) -> None:
    assert format.values.size
    copies = [pickle.loads(pickle.dumps(format, protocol)) for protocol in range(6)]
    for same in (*copies, copy.copy(format), copy.deepcopy(format)):
        assert same is format


class Attack:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.victim,)


def test_a_file_that_holds_packed_vectors_and_a_call_is_refused(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", BytesIO()
    torch.save([mf.quantize(normal(4, 9), "e2m1"), Attack(victim)], file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(file, weights_only=True)
    assert not victim.exists()
    # The attack is one.
    file.seek(0)
    torch.load(file, weights_only=False)
    assert victim.exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 0, "codes": torch.zeros(4, 0, dtype=torch.uint8)}, "got .*e4m3.* and 0"),
        ({"dim": 10**9}, r"must be uint8 \(rows, 1000000000\) .* got torch.uint8 \(4, 9\)"),
        ({"dim": 9.0}, "a dim of at least 1; got .* and 9.0"),
        ({"dim": True}, "a dim of at least 1; got .* and True"),
        ({"codes": torch.zeros(4, 9)}, r"got torch.float32 \(4, 9\)"),
        ({"codes": torch.tensor(1, dtype=torch.uint8)}, r"got torch.uint8 \(\)"),
        ({"reciprocal_norms": torch.zeros(1)}, r"and torch.float32 \(1,\)"),
        ({"reciprocal_norms": None}, "must be tensors; got Tensor and NoneType"),
        ({"format": "e4m3"}, "a format and a dim of at least 1; got 'e4m3' and 9"),
        ({"from_numpy": 1}, "from_numpy must be True or False; got 1"),
        ({"save": torch.Size}, "PackedVectors have codes, .*; got .*, save"),
    ],
)
def test_a_pickle_of_what_are_no_rows_is_refused(
    changed: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mf.quantize(normal(4, 9), "e4m3")
    # As a stranger writes it: what `vars` has, whatever it is.
    monkeypatch.setattr(mf.PackedVectors, "__getstate__", lambda self: vars(self) | changed)
    with pytest.raises((ValueError, pickle.UnpicklingError), match=message):
        saved_and_loaded(rows)


def test_rows_of_no_values_are_refused_by_scores_and_searches() -> None:
    """A pickle may call the class itself; a kernel would divide by the bytes of a row."""
    codes = torch.zeros(4, 0, dtype=torch.uint8)
    rows = mf.PackedVectors(codes, torch.zeros(4), mf.FORMATS[0], 0)
    for ask in (lambda: mf.scores(rows, rows), lambda: mf.search(rows, rows, 1)):
        with pytest.raises(ValueError, match=r"^dim must be at least 1; got 0$"):
            ask()


def saved_by_torch(rows: mf.PackedVectors) -> bytes:
    file = BytesIO()
    torch.save(rows, file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["in memory", "mapped"])
def test_rows_are_written_and_copied_without_their_database(kind: str, tmp_path: Path) -> None:
    database = mf.quantize(normal(1000, 192), "e2m1")
    if kind == "mapped":
        database.save(tmp_path / "rows")
        database = mf.PackedVectors.load(tmp_path / "rows")
    for rows in (database[7], database[3:5], database[10:30:10], database[:], database[[1, 2]]):
        most = rows.nbytes + 2000
        assert len(pickle.dumps(rows)) < most
        assert len(saved_by_torch(rows)) < most + 1000
        for same in (
            copy.deepcopy(rows),
            pickle.loads(pickle.dumps(rows)),
            # As a queue or a pool of workers sends them.
            ForkingPickler.loads(ForkingPickler.dumps(rows)),
            torch.load(BytesIO(saved_by_torch(rows))),
        ):
            assert same == rows
            stored = (same.codes, same.reciprocal_norms)
            assert sum(t.untyped_storage().nbytes() for t in stored) == rows.nbytes
        rows.save(tmp_path / "some")
        assert (tmp_path / "some").stat().st_size < most
    assert copy.copy(database).codes.data_ptr() == database.codes.data_ptr()
