"""Rows that an index does not take, and that none of a call is taken then."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.index import Index
from minifloat.index.writing import changing
from tests.index.folders import X
from tests.index.model import DIM


@pytest.mark.parametrize(
    ("ids", "x", "columns", "error", "said"),
    [
        ([4, 4], X[:2], {}, ValueError, "ids must differ; got 4 twice"),
        ([1, 4, 2], X[:3], {}, ValueError, "2 of 3 ids are in the index already: 1, 2; upsert"),
        (
            ["a"],
            X[:1],
            {},
            TypeError,
            "ids of this index are 64-bit integers; got texts, the first 'a'",
        ),
        (
            [4, "a"],
            X[:2],
            {},
            TypeError,
            "ids must be all int, all str, or all uuid.UUID; got int, str",
        ),
        ([4.0], X[:1], {}, TypeError, "ids must be all int.*; got float"),
        ([True], X[:1], {}, TypeError, "ids must be all int.*; got bool"),
        (np.array([4.0]), X[:1], {}, TypeError, "ids must be all int.*; got float64"),
        (
            [2**63],
            X[:1],
            {},
            ValueError,
            r"ids must be at least -2\^63 and below 2\^63; got 9223372036854775808",
        ),
        ([-(2**63) - 1], X[:1], {}, ValueError, "got -9223372036854775809"),
        (7, X[:1], {}, TypeError, "ids must be a list, an array or a column of them; got 7"),
        ("ab", X[:2], {}, TypeError, "ids must be a list, an array or a column of them; got 'ab'"),
        (
            np.zeros((2, 1), int),
            X[:2],
            {},
            ValueError,
            r"ids must be in one row; got shape \(2, 1\)",
        ),
        ([4, 5], X[:1], {}, ValueError, "a row for each of 2 ids; got 1 rows"),
        (
            [4],
            X[:1, :5],
            {},
            ValueError,
            r"x must be rows \(rows, 24\) of this index; got shape \(1, 5\)",
        ),
        ([4], X[0], {}, ValueError, "a row for each of 1 ids; got 24 rows"),
        ([4], X[:1].long(), {}, TypeError, "int64"),
        (
            [4],
            mf.quantize(X[:1], "e2m3"),
            {},
            ValueError,
            "must be of dim 24 in e2m1.*got dim 24 in e2m3",
        ),
        (
            [4],
            X[:1],
            {"dya": 3},
            ValueError,
            "there is no column 'dya': this index has day, weight, ok",
        ),
        (
            [4],
            X[:1],
            {"day": "x"},
            TypeError,
            "column 'day' is integer: it takes int or None; got 'x'",
        ),
        ([4], X[:1], {"day": [1.5]}, TypeError, "column 'day' is integer.*got 1.5"),
        ([4], X[:1], {"day": True}, TypeError, "column 'day' is integer.*got True"),
        (
            [4],
            X[:1],
            {"day": 2**63},
            ValueError,
            "column 'day' is integer, which has no 9223372036854775808",
        ),
        (
            [4],
            X[:1],
            {"weight": float("nan")},
            ValueError,
            "column 'weight' is real, which has no nan",
        ),
        (
            [4, 5],
            X[:2],
            {"day": [1]},
            ValueError,
            "column 'day' must have a value for each of 2 ids; got 1",
        ),
    ],
)
def test_rows_are_refused_whole(
    index: Index, ids: Any, x: Any, columns: Any, error: Any, said: str
) -> None:
    for change in (index.add, index.upsert) if "already" not in said else (index.add,):
        with pytest.raises(error, match=said):
            change(ids, x, **columns)
    assert list(index) == [1, 2, 3]
    index.add([4], X[3:4])
    assert len(index) == 4


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_row_that_is_not_finite_is_named_by_its_id(wrong: float) -> None:
    index = Index.create(None, DIM, "e2m1")
    x = X[:3].clone()
    x[1, 5] = wrong
    with pytest.raises(ValueError, match="the vector of id 'b' holds NaN or infinity"):
        index.add(["a", "b", "c"], x)
    assert len(index) == 0
    with pytest.raises(ValueError, match="the vector of id 00000000-0000-0000-0000-000000000007"):
        index.add([UUID(int=6), UUID(int=7)], x[:2])


def test_texts_must_be_of_unicode() -> None:
    index = Index.create(None, DIM, "e2m1")
    with pytest.raises(ValueError, match=r"ids must be texts of Unicode; got '\\ud800'"):
        index.add(["\ud800"], X[:1])
    index.add(["", "a\0b", "\u00e9\U0001f600"], X[:3])
    assert list(index) == ["", "a\0b", "\u00e9\U0001f600"]
    assert "a\0b" in index
    assert "a" not in index


def test_ids_that_ascend_are_known_later_too() -> None:
    """Those above all others are not looked up, and must be found by what comes after."""
    index = Index.create(None, DIM, "e2m1")
    index.add([100, 50], X[:2])
    index.add(range(200, 210), X[:10])
    index.commit()
    index.add(range(210, 215), X[:5])
    index.rollback()
    index.add(range(300, 305), X[:5])
    index.remove(range(200, 207))
    index.compact()
    index.add(range(400, 403), X[:3])
    for id in (100, 50, 207, 209, 300, 304, 400, 402):
        with pytest.raises(ValueError, match=f"1 of 2 ids are in the index already: {id};"):
            index.add([1000 + id, id], X[:2])
    index.add([214, 213, 200, 403], X[:4])
    assert len(index) == 17


@pytest.mark.parametrize("on_disk", [False, True])
def test_many_rows_are_added_whole_or_not(
    tmp_path: Path, on_disk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "_AT_ONCE", 3)
    index = Index.create(tmp_path / "a" if on_disk else None, DIM, "e2m1")
    index.add([7, 3], X[:2])
    wrong = X[:9].clone()
    wrong[7, 0] = torch.nan
    for ids, x in (([*range(10, 18), 7], X[:9]), (range(10, 19), wrong)):
        with pytest.raises(
            ValueError, match=r"1 of 9 ids are in the index already: 7;|id 17 holds NaN"
        ):
            index.add(ids, x)
        assert list(index) == [7, 3]
        assert 12 not in index
    with pytest.raises(ValueError, match="id 17 holds NaN"):
        index.upsert(range(10, 19), wrong)
    index.add(range(10, 19), X[:9])
    index.commit()
    assert list(index) == [7, 3, *range(10, 19)]
    assert index.check() == []
    assert torch.equal(index.get([10, 18]).vectors.codes, mf.quantize(X[[0, 8]], "e2m1").codes)
