"""Packed vectors as columns of Arrow: the same rows come back, from whatever storage."""

import importlib
import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.vectors import row_bytes
from tests.support.rows import normal

pa = pytest.importorskip("pyarrow")

KINDS = ("plain", "unbiased", "errors", "no axes", "frame", "frame with errors")
STORAGES: tuple[Any, ...] = ("binary", "list")
DIM = 37


def rows_of(kind: str, format: mf.Format | str = "e2m1", rows: int = 60) -> mf.PackedVectors:
    x = normal(max(rows, 60), DIM) + 1
    axes = {"no axes": 0, "frame": 2, "frame with errors": 2}.get(kind)
    frame = None if axes is None else mf.Frame.fit(x, axes)
    estimator: Any = "unbiased" if kind == "unbiased" else None
    packed = mf.quantize(x, format, frame=frame, estimator=estimator, errors="errors" in kind)
    return packed[:rows]


def same(found: mf.PackedVectors, rows: mf.PackedVectors) -> bool:
    return found == rows and found.estimator == rows.estimator and found.frame == rows.frame


@pytest.fixture(params=KINDS)
def rows(request: pytest.FixtureRequest, format: mf.Format) -> mf.PackedVectors:
    return rows_of(request.param, format)


@pytest.mark.parametrize("storage", STORAGES)
def test_rows_come_back_from_a_column(rows: mf.PackedVectors, storage: Any) -> None:
    column = rows.to_arrow(storage=storage)
    column.validate(full=True)
    assert len(column) == len(rows)
    assert same(mf.PackedVectors.from_arrow(column), rows)
    assert same(mf.PackedVectors.from_arrow(rows[:0].to_arrow(storage=storage)), rows[:0])
    assert same(mf.PackedVectors.from_arrow(rows[::3].to_arrow(storage=storage)), rows[::3])


@pytest.mark.parametrize("storage", STORAGES)
def test_rows_come_back_from_slices_and_chunks(rows: mf.PackedVectors, storage: Any) -> None:
    column = rows.to_arrow(storage=storage)
    assert same(mf.PackedVectors.from_arrow(column[7:31][2:]), rows[9:31])
    chunks = pa.chunked_array([column[40:], column[:0], column[5:9]])
    both = mf.PackedVectors.cat([rows[40:], rows[5:9]])
    assert same(mf.PackedVectors.from_arrow(chunks), both)
    none = pa.chunked_array([], column.type)
    assert same(mf.PackedVectors.from_arrow(none), rows[:0])


def as_binary(column: Any, kind: Any) -> Any:
    return pa.array([bytes(row) for row in column.storage.to_pylist()], kind)


STORED = {
    "fixed-size binary": lambda column: column.storage,
    "binary": lambda column: as_binary(column, pa.binary()),
    "large binary": lambda column: as_binary(column, pa.large_binary()),
    "fixed-size list": lambda column: column.storage,
    "list": lambda column: column.storage.cast(pa.list_(pa.uint8())),
    "large list": lambda column: column.storage.cast(pa.large_list(pa.uint8())),
}


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_back_from_every_storage(kind: str, stored: str) -> None:
    rows = rows_of(kind)
    column = rows.to_arrow(storage="list" if "list" in stored else "binary")
    bare = STORED[stored](column)
    assert stored.replace("-", "_").replace(" ", "_") in str(bare.type).replace("<", "_")
    said: Any = {"format": "e2m1", "dim": DIM, "frame": rows.frame, "estimator": rows.estimator}
    typed = column.type.__arrow_ext_deserialize__(bare.type, column.type.text)
    for part, expected in ((bare, rows), (bare[3:50][2:], rows[5:50]), (bare[:0], rows[:0])):
        if len(part) or rows.errors is None:
            assert same(mf.PackedVectors.from_arrow(part, **said), expected)
        wrapped = pa.ExtensionArray.from_storage(typed, part)
        assert same(mf.PackedVectors.from_arrow(wrapped), expected)


def test_rows_come_back_from_binary_views() -> None:
    rows = rows_of("plain")
    binary = as_binary(rows.to_arrow(), pa.binary())
    if not hasattr(pa, "binary_view"):
        pytest.skip("this pyarrow has no views")
    try:
        views = binary.cast(pa.binary_view())
    except pa.ArrowNotImplementedError:
        pytest.skip("this pyarrow makes no views")
    assert same(mf.PackedVectors.from_arrow(views[4:], format="e2m1", dim=DIM), rows[4:])


def test_bytes_of_a_row_are_those_of_its_fields_in_the_order_of_a_file() -> None:
    rows = rows_of("frame with errors")
    fields = (rows.reciprocal_norms, rows.coordinates, rows.codes, rows.errors)
    expected = [
        b"".join(field[row].numpy().tobytes() for field in fields if field is not None)
        for row in range(len(rows))
    ]
    assert rows.to_arrow().storage.to_pylist() == expected
    lists = rows.to_arrow(storage="list").storage.to_pylist()
    assert [bytes(row) for row in lists] == expected
    assert {len(row) for row in expected} == {rows.nbytes // len(rows)}


def test_the_type_says_what_rows_are_in_the_same_words_each_time() -> None:
    plain, framed = rows_of("plain"), rows_of("frame with errors")
    assert framed.frame is not None
    assert plain.to_arrow().type.text == (
        b'{"version":1,"format":"e2m1","dim":37,"estimator":"norm","frame":null,'
        b'"fields":["reciprocal_norms","codes"]}'
    )
    said = json.loads(framed.to_arrow().type.text)
    assert said["fields"] == ["reciprocal_norms", "coordinates", "codes", "errors"]
    assert said["frame"]["digest"] == framed.frame.digest
    assert framed.to_arrow().type.text == framed[3:].to_arrow(storage="list").type.text


def test_rows_are_copied_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_bytes, "_AT_ONCE", 60)
    rows = rows_of("frame with errors")
    assert same(mf.PackedVectors.from_arrow(rows.to_arrow()), rows)


def test_rows_lie_in_memory_of_their_own(tmp_path: Path) -> None:
    rows = rows_of("frame")
    path = tmp_path / "rows.arrow"
    table = pa.table({"v": rows.to_arrow()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.memory_map(str(path)) as source:
        mapped = pa.ipc.open_file(source).read_all()["v"]
        found = mf.PackedVectors.from_arrow(mapped)
    del mapped
    path.write_bytes(b"")
    assert same(found, rows)
    found.codes[:] = 0
    column = rows.to_arrow()
    taken = mf.PackedVectors.from_arrow(column)
    taken.codes[:] = 0
    rows.codes[0] ^= 1
    assert not same(mf.PackedVectors.from_arrow(column), rows)


def test_mapped_rows_of_a_changed_file_are_not_handed_on(tmp_path: Path) -> None:
    rows_of("plain").save(tmp_path / "rows")
    rows = mf.PackedVectors.load(tmp_path / "rows")
    assert same(mf.PackedVectors.from_arrow(rows.to_arrow()), rows)
    with (tmp_path / "rows").open("ab") as file:
        file.write(b"x")
    with pytest.raises(OSError, match="was changed after it was mapped"):
        rows.to_arrow()


def test_columns_are_put_together_only_if_their_rows_are_of_one_kind() -> None:
    rows = mf.quantize(normal(4, 8), "e4m3")
    column, other = rows.to_arrow(), mf.quantize(normal(4, 16), "e2m1").to_arrow()
    assert column.type.storage_type == other.type.storage_type
    assert column.type != other.type
    assert column.type == rows[:2].to_arrow().type
    assert hash(column.type) == hash(rows[:2].to_arrow().type)
    assert column.type != rows.to_arrow(storage="list").type
    assert column.type != pa.binary(12)
    both = pa.concat_arrays([column, column[:1]])
    assert same(mf.PackedVectors.from_arrow(both), mf.PackedVectors.cat([rows, rows[:1]]))
    with pytest.raises(pa.ArrowInvalid, match="identically typed"):
        pa.concat_arrays([column, other])


def test_the_type_is_registered_again_by_another_copy_of_the_module() -> None:
    rows = rows_of("frame")
    column = rows.to_arrow()
    module = importlib.import_module("minifloat.vectors.arrow")
    importlib.reload(module)
    assert column.type == rows.to_arrow().type
    assert same(mf.PackedVectors.from_arrow(column), rows)
    sink = BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("v", column.type)])) as writer:
        writer.write_table(pa.table({"v": column}))
    found = pa.ipc.open_stream(sink.getvalue()).read_all()["v"]
    assert isinstance(found.type, module.VectorsType)
    assert same(mf.PackedVectors.from_arrow(found), rows)


def test_pyarrow_is_imported_when_it_is_needed_and_the_type_then_known(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"v": rows_of("plain").to_arrow()}), tmp_path / "rows.parquet")
    program = """
import sys, minifloat as mf
assert "pyarrow" not in sys.modules
import pyarrow.parquet as pq
before = pq.ParquetFile(sys.argv[1]).read().schema.field("v").type
import minifloat.vectors.arrow
print(before, pq.ParquetFile(sys.argv[1]).read().schema.field("v").type)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "rows.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.match(r"fixed_size_binary\[23\] extension<minifloat\.vectors", done.stdout)


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("minifloat.vectors.arrow", "minifloat.vectors.arrow_bytes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = "columns of Arrow need pyarrow: pip install 'minifloat[arrow]'"
    for call in (
        lambda: rows_of("plain").to_arrow(),
        lambda: mf.PackedVectors.from_arrow(np.zeros(3)),
    ):
        with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
            call()


def test_norms_that_are_no_numbers_come_back() -> None:
    x = torch.tensor([[1.0, 1e9, 2.0], [1.0, 2.0, 3.0]])
    rows = mf.quantize(x, "e5m2", scale="none", saturate=False)
    assert same(mf.PackedVectors.from_arrow(rows.to_arrow()), rows)
