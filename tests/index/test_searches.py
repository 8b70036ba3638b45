"""What searches of an index take and give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.index import Index
from minifloat.index.rows.devices import OnDevice
from tests.index.model import DIM, IDS

ROWS = 500
X = torch.randn(ROWS, DIM, generator=torch.Generator().manual_seed(1))
DAYS = [number % 50 for number in range(ROWS)]


@pytest.fixture(scope="module")
def index() -> Index:
    made = Index.create(None, DIM, "e3m4", columns={"day": "integer", "name": "text"}, errors=True)
    made.add(range(ROWS), X, day=DAYS, name=[f"row {number}" for number in range(ROWS)])
    return made


def test_a_search_gives_what_the_packed_rows_give(index: Index) -> None:
    scores, ids = index.search(X[:7], 5)
    expected, rows = mf.search(X[:7], mf.quantize(X, "e3m4"), 5)
    assert torch.equal(scores, expected)
    assert torch.equal(ids, rows)


def test_answers_are_of_the_queries_kind(index: Index) -> None:
    scores, ids = index.search(X[:2].numpy(), 3)
    assert isinstance(scores, np.ndarray)
    assert isinstance(ids, np.ndarray)
    assert ids.dtype == np.int64
    scores, ids = index.search(mf.quantize(X[:2], "e3m4"), 3)
    assert isinstance(scores, torch.Tensor)
    found = index.range_search(X[:2].numpy(), 0.5)
    assert all(isinstance(part, np.ndarray) for part in found)


def test_an_offset_leaves_the_best_out(index: Index) -> None:
    scores, ids = index.search(X[:4], 9)
    later, of_later = index.search(X[:4], 5, offset=4)
    assert torch.equal(scores[:, 4:], later)
    assert torch.equal(ids[:, 4:], of_later)
    none, no_ids = index.search(X[:4], 2, offset=ROWS + 3)
    assert none.isnan().all()
    assert (no_ids == -1).all()


@pytest.mark.parametrize(
    ("where", "keep"),
    [
        ("day = 7", lambda number: DAYS[number] == 7),
        ("day > 10", lambda number: DAYS[number] > 10),
        (("day = ? AND id > ?", [7, 200]), lambda number: DAYS[number] == 7 and number > 200),
        ("name LIKE 'row 1%'", lambda number: str(number).startswith("1")),
        ("day = 7 -- and this is no more", lambda number: DAYS[number] == 7),
        ("name <> 'select' AND day = 7", lambda number: DAYS[number] == 7),
        ("1", lambda number: True),
    ],
)
@pytest.mark.parametrize("prepared", [False, True])
def test_a_condition_leaves_its_rows_alone(
    index: Index, where: Any, keep: Callable[[int], bool], prepared: bool
) -> None:
    kept = torch.tensor([number for number in range(ROWS) if keep(number)])
    expected, rows = mf.search(X[:5], mf.quantize(X[kept], "e3m4"), 4)
    scores, ids = index.search(X[:5], 4, where=index.filter(where) if prepared else where)
    assert torch.equal(scores, expected)
    assert torch.equal(ids, kept[rows])
    found = index.range_search(X[:5], 0.3, where=where)
    of_kept = mf.range_search(X[:5], mf.quantize(X[kept], "e3m4"), 0.3)
    assert torch.equal(found.offsets, of_kept.offsets)
    assert torch.equal(found.ids, kept[of_kept.rows])
    assert torch.equal(found.scores, of_kept.scores)


def test_only_some_ids_take_part(index: Index) -> None:
    some = [400, 3, 77, 8, 3]
    _, ids = index.search(X[:3], 6, only=some)
    assert [sorted(of_query) for of_query in ids.tolist()] == [[-1, -1, 3, 8, 77, 400]] * 3
    _, ids = index.search(X[:3], 3, only=some, where="day < 9 AND id < 99")
    assert [sorted(of_query) for of_query in ids.tolist()] == [[-1, 3, 8]] * 3
    with pytest.raises(KeyError, match="1 of 2 ids are not in the index: 999"):
        index.search(X[:3], 3, only=[3, 999])


def test_a_filter_follows_changes() -> None:
    index = Index.create(None, DIM, "e2m1", columns={"day": "integer"})
    index.add(range(10), X[:10], day=1)
    filter = index.filter("day = 1")
    assert repr(filter) == "Filter('day = 1', 10 rows)"
    index.remove([0])
    index.update([1], day=2)
    index.add([50], X[50:51], day=1)
    _, ids = index.search(X[:1], 20, where=filter)
    assert sorted(ids[0].tolist()) == [-1] * 11 + [2, 3, 4, 5, 6, 7, 8, 9, 50]


def test_originals_are_found_by_ids(index: Index) -> None:
    originals = X.numpy()
    scores, ids = index.search(X[:6] + 0.1, 5, originals=originals)
    expected, rows = mf.search(
        X[:6] + 0.1, mf.quantize(X, "e3m4", errors=True), 5, originals=originals
    )
    assert torch.equal(scores, expected)
    assert torch.equal(ids, rows)
    _, few = index.search(X[:6], 2, where="day = 7", originals=originals)
    assert (few % 50 == 7).all()
    with pytest.raises(ValueError, match="a row for each number, of 100 that they have; got 1"):
        index.search(X[:1], 2, originals=originals[:100])


def test_originals_of_texts_are_found_by_a_column() -> None:
    columns = {"at": "integer", "day": "integer"}
    index = Index.create(None, DIM, "e2m1", errors=True, columns=columns)
    names = [f"id {number}" for number in range(ROWS)]
    index.add(names, X, at=range(ROWS)[::-1], day=DAYS)
    index.remove(names[:5])
    index.purge(names[5:9])
    originals, queries = X.flip(0).double(), X[:20] + 0.1
    scores, ids = index.search(queries, 5, originals=(originals, "at"))
    both = queries[:, None].double(), X[9:].double()
    cosines = torch.nn.functional.cosine_similarity(*both, dim=2)
    best = cosines.topk(5)
    assert torch.equal(scores, best.values.float())
    assert ids.tolist() == [[names[9 + i] for i in of_query] for of_query in best.indices.tolist()]
    few, _ = index.search(queries, 2, originals=(originals, "at"), where="day = 7")
    of_day = cosines[:, [i for i in range(ROWS - 9) if DAYS[i + 9] == 7]]
    assert torch.equal(few, of_day.topk(2).values.float())
    with pytest.raises(ValueError, match="ids of this index are of kind text, and tell no rows of"):
        index.search(X[:1], 1, originals=originals)
    with pytest.raises(ValueError, match="rows of originals are told by an integer column"):
        index.search(X[:1], 1, originals=(originals, "att"))


@pytest.mark.parametrize("kind", list(IDS))
def test_ids_come_back_as_they_were_given(kind: str) -> None:
    index = Index.create(None, DIM, "e2m1")
    given = [IDS[kind](number) for number in range(20)]
    index.add(given, X[:20])
    assert list(index) == given
    _, ids = index.search(X[:20], 1)
    assert ids[:, 0].tolist() == given
    found = index.range_search(X[:2], 0.9)
    assert found.ids.tolist() == given[:2]
    assert index.get(given[3:5]).ids.tolist() == given[3:5]
    assert [id for batch in index.batches(7) for id in batch.ids.tolist()] == given
    assert given[0] in index
    assert "no such id" not in index
    assert UUID(int=12345) not in index
    assert 10**30 not in index


def test_an_empty_index_finds_nothing() -> None:
    index = Index.create(None, DIM, "e2m1", columns={"day": "integer"})
    for where in (None, "day = 3"):
        scores, ids = index.search(X[:3], 4, where=where)
        assert scores.isnan().all()
        assert ids.tolist() == [[-1] * 4] * 3
        assert index.range_search(X[:3], -1.0, where=where).offsets.tolist() == [0, 0, 0, 0]
    assert list(index) == []
    assert list(index.batches()) == []
    with pytest.raises(ValueError, match=r"queries must be floating-point rows \(rows, 24\)"):
        index.search(X[:3, :5], 1)


def test_rows_in_a_frame_that_feed_back_are_added_alike_after_opening(tmp_path: Path) -> None:
    sample = X + 2
    frame = mf.Frame.fit(sample.repeat(2, 1), feedback="force")
    index = Index.create(tmp_path / "index", DIM, "e2m1", frame=frame, rounding="feedback")
    index.add(range(ROWS), sample)
    index.commit()
    index.close()
    index = Index.open(tmp_path / "index")
    index.add(range(ROWS, 2 * ROWS), sample)
    expected = mf.quantize(sample, "e2m1", frame=frame, rounding="feedback")
    first, second = (index.get(range(begin, begin + ROWS)).vectors for begin in (0, ROWS))
    assert first == second == expected
    assert index.frame == frame
    scores, ids = index.search(sample[:5], 3, where="id < 500")
    best, rows = mf.search(sample[:5], expected, 3)
    assert torch.equal(scores, best)
    assert torch.equal(ids, rows)


def test_a_copy_on_a_device_follows() -> None:
    index, copy = Index.create(None, DIM, "e2m1"), OnDevice("cpu")
    for begin, end in ((0, 10), (10, 15), (15, 200), (200, 201)):
        index.add(range(begin, end), X[begin:end])
        rows = copy.copied(index._state.snapshot)
        assert rows == index._state.snapshot.vectors
        assert rows.codes.data_ptr() != index._state.snapshot.vectors.codes.data_ptr()
    index.remove([3])
    index.compact()
    assert copy.copied(index._state.snapshot) == index._state.snapshot.vectors


def test_an_index_on_a_device_is_the_same_index() -> None:
    index = Index.create(None, DIM, "e2m1")
    index.add(range(10), X[:10])
    other = index.to("cpu")
    other.add([10], X[10:11])
    assert 10 in index
    assert torch.equal(other.search(X[:3], 2)[1], index.search(X[:3], 2)[1])


@pytest.mark.parametrize("kind", list(IDS))
def test_rows_are_got_by_a_condition(kind: str) -> None:
    index = Index.create(None, DIM, "e2m1", columns={"day": "integer"})
    ids = [IDS[kind](number) for number in range(20)]
    index.add(ids, X[:20], day=[number % 4 for number in range(20)])
    got = index.get(where="day = 3")
    assert got.ids.tolist() == ids[3::4]
    assert got.columns == {"day": [3] * 5}
    assert got.vectors == index.get(ids[3::4]).vectors
    assert index.get(where="day = 9").ids.tolist() == []
    with pytest.raises(TypeError, match="get takes ids, or where="):
        index.get()
