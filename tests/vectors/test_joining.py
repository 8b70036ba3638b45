"""Rows of several packed vectors that become one, or are copied to another."""

import pytest
import torch

import minifloat as mf
from minifloat.vectors import copying
from tests.support.rows import assert_rows, normal

pytestmark = pytest.mark.gpu


def test_cat_puts_parts_together(format: mf.Format) -> None:
    rows = mf.quantize(normal(6, 9), format)
    whole = mf.PackedVectors.cat([rows[:2], rows[2:2], rows[2:]])
    assert_rows(whole, rows, list(range(6)))
    assert_rows(mf.PackedVectors.cat([rows]), rows, list(range(6)))


def test_cat_refuses_parts_that_do_not_match() -> None:
    rows = mf.quantize(normal(2, 9), "e2m1")
    needs = "cat needs one format, dim, frame and estimator, and errors of all rows or of none"
    for other, kind in (
        (mf.quantize(normal(2, 8), "e2m1"), "dim 8 in e2m1, estimator norm; dim 9 in e2m1"),
        (mf.quantize(normal(2, 9), "e2m3"), "dim 9 in e2m1, estimator norm; dim 9 in e2m3"),
    ):
        with pytest.raises(ValueError, match=f"^{needs}; got {kind}, estimator norm$"):
            mf.PackedVectors.cat([rows, other])
    with_errors = mf.quantize(normal(2, 9), "e2m1", errors=True)
    kind = "dim 9 in e2m1, estimator norm"
    with pytest.raises(ValueError, match=f"^{needs}; got {kind}; {kind} with errors$"):
        mf.PackedVectors.cat([rows, with_errors])
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
