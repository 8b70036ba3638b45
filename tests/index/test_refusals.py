"""What an index does not take, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minifloat.index import Index
from tests.index.folders import X
from tests.index.model import DIM


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("dya = 3", "no such column: dya"),
        ("day = ", "syntax error"),
        ("", "syntax error"),
        ("day = 1; DROP TABLE rows", "syntax error"),
        ("1) UNION SELECT name FROM sqlite_master WHERE (1", "prohibited|not authorized"),
        ("id IN (SELECT row FROM rows)", "prohibited|not authorized"),
        ("id IN (/* ' */ SELECT row FROM rows)", "not authorized"),
        ("EXISTS (SELECT 1 FROM facts)", "prohibited|not authorized"),
        ("row = 1 OR removed = 2", "no such column: removed"),
        ("load_extension('x')", "not authorized|prohibited"),
        ("randomblob(1000000000) IS NULL", "not authorized|prohibited"),
        ("day = ?", "Incorrect number of bindings"),
        (("day = 1", [3]), "Incorrect number of bindings"),
        ("1) LIMIT 1 --", "syntax error|incomplete input"),
    ],
)
def test_a_condition_reads_columns_and_nothing_else(index: Index, where: Any, said: str) -> None:
    for ask in (
        lambda: index.search(X[:1], 1, where=where),
        lambda: index.remove(where=where),
        lambda: index.filter(where),
    ):
        with pytest.raises(
            ValueError, match=f"where must be a condition of SQL over id, day.*({said})"
        ):
            ask()
    assert list(index) == [1, 2, 3]


def test_a_condition_cannot_reach_rows_that_were_removed(index: Index) -> None:
    index.remove([2])
    assert index.search(X[:1], 5, where="1) OR (1")[1].tolist()[0].count(-1) == 3


@pytest.mark.parametrize("where", [7, ("day = 1",), ("day = ?", 1), ["day = 1"]])
def test_what_is_no_condition_is_refused(index: Index, where: Any) -> None:
    with pytest.raises(TypeError, match="where must be a condition as text"):
        index.search(X[:1], 1, where=where)


def test_unknown_ids_are_named(index: Index) -> None:
    for ask in (
        index.get,
        index.remove,
        index.purge,
        lambda ids: index.update(ids, day=3),
        lambda ids: index.search(X[:1], 1, only=ids),
    ):
        with pytest.raises(KeyError, match="4 of 5 ids are not in the index: 7, 8, 9 and 1 more"):
            ask([7, 8, 1, 9, 10])
    with pytest.raises(TypeError, match="remove takes ids, or where="):
        index.remove()
    with pytest.raises(ValueError, match="missing must be error or ignore; got 'skip'"):
        index.remove([1], missing="skip")
    assert list(index) == [1, 2, 3]


def test_numbers_that_are_none_are_refused(index: Index) -> None:
    with pytest.raises(ValueError, match="k must be 1 or more, and offset 0 or more; got 0 and 0"):
        index.search(X[:1], 0)
    with pytest.raises(ValueError, match="got 1 and -1"):
        index.search(X[:1], 1, offset=-1)
    with pytest.raises(ValueError, match="batches must have 1 row or more; got 0"):
        index.batches(0)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a b": "text"}, "columns are named by letters, digits and _.*got 'a b'"),
        ({"id": "text"}, "got 'id'"),
        (
            {"day": "int"},
            "column 'day' must be one of integer, real, text, blob, boolean.*got 'int'",
        ),
        ({"day": "text", "Day": "text"}, "must differ in more than case"),
        ({'x"; DROP TABLE rows; --': "text"}, "columns are named by letters"),
    ],
)
def test_columns_are_declared_well(columns: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Index.create(None, DIM, "e2m1", columns=columns)


def test_what_an_index_is_made_of_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format must be one of"):
        Index.create(tmp_path / "a", DIM, "e4m4")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        Index.create(tmp_path / "none" / "a", DIM, "e2m1")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(FileExistsError, match=r"is there and not empty: Index.open opens an index"):
        Index.create(tmp_path / "full", DIM, "e2m1")
    with pytest.raises(FileNotFoundError, match=r"is no index: there is no index.sqlite in it"):
        Index.open(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]


def test_other_indexes_are_merged_whole_or_not(index: Index) -> None:
    other = Index.create(None, DIM, "e2m1", columns=index.columns)
    other.add([9, 8], X[3:5], day=[5, 6], ok=True)
    assert index.merge(other) == 2
    assert list(index) == [1, 2, 3, 9, 8]
    assert index.get([8]).columns == {"day": [6], "weight": [None], "ok": [True]}
    with pytest.raises(ValueError, match="2 of 2 ids are in the index already: 9, 8"):
        index.merge(other)
    with pytest.raises(ValueError, match="both must have the same columns"):
        index.merge(Index.create(None, DIM, "e2m1"))
    with pytest.raises(TypeError, match="merge takes an Index; got list"):
        index.merge([])  # type: ignore[arg-type]
    assert len(index) == 5
