"""What packed vectors are: their device, shape, size and text, and to what they are equal."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.rows import assert_rows, normal

pytestmark = pytest.mark.gpu


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
