"""Scores of rows that are zero or not finite, and of no rows."""

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.rows import assert_same, normal, random_rows, rows_of_codes

pytestmark = pytest.mark.gpu


def test_a_zero_row_scores_zero(format: mf.Format, backend: str) -> None:
    x, y = normal(5, 17, 1), normal(6, 17, 2)
    x[3], y[2] = 0, 0
    for a in (mf.quantize(x, format), x):
        found = mf.scores(a, mf.quantize(y, format))
        assert found[3].tolist() == [0] * 6
        assert found[:, 2].tolist() == [0] * 5
        assert found.count_nonzero() == 4 * 5


@pytest.mark.parametrize("format", [f for f in mf.FORMATS if f.specials != "none"], ids=str)
def test_a_row_that_is_not_finite_scores_nan(
    format: mf.Format, backend: str, in_any_order: bool
) -> None:
    special = np.flatnonzero(~np.isfinite(format.values)).astype(np.uint8)
    codes = np.random.default_rng(0).choice(special[0], (len(special) + 5, 19)).astype(np.uint8)
    for row, code in enumerate(special):
        codes[row, row % 19] = code
    rows = rows_of_codes(codes, format)
    bad = np.arange(len(codes)) < len(special)
    assert rows.reciprocal_norms.isnan().numpy().tolist() == bad.tolist()
    other = random_rows(format, 4, 19, 1)
    for found in (
        mf.scores(rows, other),
        mf.scores(other, rows).T,
        mf.scores(normal(4, 19), rows).T,
    ):
        assert np.array_equal(found.isnan().numpy(), bad[:, None].repeat(4, 1))
    if not in_any_order:
        good = rows[len(special) :]
        assert_same(mf.scores(other, good), mf.scores(other, rows)[:, len(special) :])
    zero = mf.quantize(torch.zeros(1, 19), format)
    assert np.array_equal(mf.scores(zero, rows)[0].isnan().numpy(), bad)


def test_overflow_without_saturation_scores_nan(backend: str) -> None:
    x = normal(3, 9)
    x[1, 4] = 1e9
    for format in (mf.E5M2, mf.E4M3, mf.E3M4):
        rows = mf.quantize(x, format, scale="none", saturate=False)
        assert rows.reciprocal_norms.isnan().tolist() == [False, True, False]
        assert mf.scores(rows, rows).isnan().sum() == 5


def test_no_rows_give_no_scores(format: mf.Format, backend: str) -> None:
    rows = random_rows(format, 4, 9)
    assert mf.scores(rows[:0], rows).shape == (0, 4)
    assert mf.scores(rows, rows[:0]).shape == (4, 0)
    assert mf.scores(rows[:0], rows[:0]).shape == (0, 0)
    assert mf.scores(normal(0, 9), rows).shape == (0, 4)
    assert mf.scores(normal(4, 9), rows[:0]).shape == (4, 0)
    none = torch.zeros(0, 2, dtype=torch.int64)
    assert mf.scores(rows[:0], rows[:0], pairs=none).shape == (0,)
