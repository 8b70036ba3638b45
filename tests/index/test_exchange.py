"""Indexes as tables of Arrow and data sets of Lance."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import torch

import minifloat as mf
from minifloat.index import Index
from tests.index.model import DIM, IDS

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

X = torch.randn(600, DIM, generator=torch.Generator().manual_seed(1)) + 0.5
COLUMNS = {
    "day": "integer indexed",
    "weight": "real",
    "note": "text",
    "raw": "blob",
    "ok": "boolean",
}


def made(kind: str, frame: mf.Frame | None = None, errors: bool = False) -> Index:
    """Return an index of some rows, of which one was removed."""
    index = Index.create(None, DIM, "e2m3", columns=COLUMNS, frame=frame, errors=errors)
    ids = [IDS[kind](number) for number in range(60)]
    index.add(ids, X[:60], day=range(60), weight=0.5, note="a", raw=b"\0b", ok=True)
    index.update(ids[:2], note=None, day=None, weight=None, raw=None, ok=None)
    index.remove(ids[5:6])
    return index


def is_same(index: Index, other: Index) -> bool:
    """Return whether both have the same rows, columns and answers."""
    (first,), (second,) = index.batches(), other.batches()
    if (index.columns, first.ids.tolist()) != (other.columns, second.ids.tolist()):
        return False
    answers = [one.search(X[:9], 4, where="day > 3")[1].tolist() for one in (index, other)]
    return (
        first.vectors == second.vectors
        and first.columns == second.columns
        and answers[0] == answers[1]
    )


@pytest.mark.parametrize("kind", list(IDS))
def test_a_table_is_the_same_index(tmp_path: Path, kind: str) -> None:
    index = made(kind)
    table = index.to_arrow()
    assert table.column_names == ["id", "vector", *COLUMNS]
    assert is_same(index, Index.from_arrow(table))
    parquet.write_table(table, tmp_path / "rows.parquet")
    other = Index.from_arrow(parquet.read_table(tmp_path / "rows.parquet"), path=tmp_path / "index")
    assert is_same(index, other)
    other.close()
    assert is_same(index, Index.open(tmp_path / "index"))


def test_rows_in_a_frame_keep_it_and_their_errors() -> None:
    index = made("text", mf.Frame.fit(X), errors=True)
    assert is_same(index, Index.from_arrow(index.to_arrow()))


def test_an_empty_index_is_a_table_without_rows() -> None:
    table = Index.create(None, DIM, "e2m1", columns={"day": "integer"}).to_arrow()
    assert (table.num_rows, table.column_names) == (0, ["id", "vector", "day"])
    assert len(Index.from_arrow(table)) == 0


def test_a_table_of_others_says_what_its_bytes_are() -> None:
    vectors = mf.quantize(X[:3], "e2m1")
    bytes = pa.array(vectors.to_arrow().storage.to_pylist())
    table = pa.table({"name": ["a", "b", "c"], "v": bytes, "day": pa.array([1, 2, 3], pa.int32())})
    index = Index.from_arrow(table, id="name", vector="v", format="e2m1", dim=DIM)
    assert list(index) == ["a", "b", "c"]
    assert index.columns == {"day": "integer"}
    assert torch.equal(index.search(X[:3], 1)[0], mf.search(X[:3], vectors, 1)[0])


def test_tables_that_are_no_index_are_refused() -> None:
    table = made("integer").to_arrow()
    with pytest.raises(
        ValueError, match="the table must have columns 'id' and 'v'; it has id, vec"
    ):
        Index.from_arrow(table, vector="v")
    twice = pa.concat_tables([table, table])
    with pytest.raises(ValueError, match="ids must differ; got -6 twice"):
        Index.from_arrow(twice)
    nulls = table.set_column(0, "id", pa.array([None] * len(table), pa.int64()))
    with pytest.raises(ValueError, match="ids must be there for each row; 59 are null"):
        Index.from_arrow(nulls)
    dates = table.append_column("date", pa.array([0] * len(table), pa.date32()))
    with pytest.raises(TypeError, match=r"an index has no columns of type date32\[day\], which 'd"):
        Index.from_arrow(dates)


@pytest.mark.parametrize("kind", list(IDS))
def test_a_data_set_of_lance_is_the_same_index(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("lance")
    index, uri = made(kind), tmp_path / "set.lance"
    first = index.save(uri)
    opened = Index.open(uri)
    assert opened.search(X[:3], 2)[1].tolist() == index.search(X[:3], 2)[1].tolist()
    assert [type(id) for id in opened][:1] == [{"integer": int, "text": str, "uuid": UUID}[kind]]
    assert opened.get(list(index)).columns == index.get(list(index)).columns
    with pytest.raises(FileExistsError, match="overwrite"):
        index.save(uri)
    index.clear()
    assert index.save(uri, overwrite=True) > first
    assert len(Index.open(uri)) == 0
    assert len(Index.open(uri, version=first)) == 59
    with pytest.raises(FileNotFoundError, match="holds no Lance data set"):
        Index.open(f"file://{tmp_path}/none.lance")
