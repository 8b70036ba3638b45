"""Rows that are picked from packed vectors, as NumPy picks them from an array."""

import re
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.rows import assert_rows, normal

pytestmark = pytest.mark.gpu


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
