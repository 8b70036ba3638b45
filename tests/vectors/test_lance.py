"""Packed vectors in data sets of Lance, beside other columns."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.vectors import lance_datasets
from tests.support.paths import ROOT
from tests.vectors.lance_rows import FRAME, IDS, ROWS, X, refused

pa = pytest.importorskip("pyarrow")
pylance = pytest.importorskip("lance")
lance = pytest.importorskip("minifloat.vectors.lance")

KEPT = ROOT / "tests" / "vectors" / "datasets"


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "rows.lance")


@pytest.mark.parametrize("kind", ["plain", "errors", "frame", "frame with errors", "unbiased"])
def test_rows_and_columns_come_back(kind: str, format: mf.Format, uri: str) -> None:
    frame = FRAME if "frame" in kind else None
    estimator: Any = "unbiased" if kind == "unbiased" else None
    rows = mf.quantize(X, format, frame=frame, estimator=estimator, errors="errors" in kind)
    assert lance.write(uri, rows, IDS) == 1
    found, columns = lance.read(uri)
    assert (found, found.estimator, found.frame) == (rows, rows.estimator, frame)
    assert list(columns) == ["id", "name"]
    assert columns["id"].to_pylist() == [*range(60)]
    assert columns["name"].to_pylist() == IDS["name"]
    found.codes[:] = 0


def test_columns_are_what_arrow_takes(uri: str) -> None:
    columns = {
        "tensor": torch.arange(60) % 7,
        "chunks": pa.chunked_array([[1.5] * 20, [None] * 40]),
        "bytes": [b"x"] * 60,
        "lists": [[i] * (i % 3) for i in range(60)],
    }
    lance.write(Path(uri), ROWS, columns)
    _, found = lance.read(Path(uri))
    assert found["tensor"].to_pylist() == [i % 7 for i in range(60)]
    assert found["chunks"].to_pylist() == [1.5] * 20 + [None] * 40
    assert found["bytes"].to_pylist() == columns["bytes"]
    assert found["lists"].to_pylist() == columns["lists"]


def test_rows_alone_and_no_rows_come_back(uri: str) -> None:
    lance.write(uri, ROWS)
    assert lance.read(uri) == (ROWS, {})
    lance.write(uri, ROWS[:0], {"id": pa.array([], pa.int64())}, mode="overwrite")
    found, columns = lance.read(uri)
    assert found == ROWS[:0]
    assert len(columns["id"]) == 0


def test_rows_are_written_and_scanned_piece_by_piece(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("_WRITTEN", 200), ("_DECODED", 100), ("_SCANNED", (300, 300))):
        monkeypatch.setattr(lance, name, size)
    lance.write(uri, ROWS, IDS)
    lance.write(uri, ROWS[5:17], {name: ids[5:17] for name, ids in IDS.items()}, mode="append")
    found, columns = lance.read(uri)
    assert found == mf.PackedVectors.cat([ROWS, ROWS[5:17]])
    assert columns["id"].to_pylist() == [*range(60), *range(5, 17)]


def test_rows_that_were_deleted_do_not_come_back(uri: str) -> None:
    lance.write(uri, ROWS, IDS)
    pylance.dataset(uri).delete("id % 3 = 1")
    found, columns = lance.read(uri)
    left = [i for i in range(60) if i % 3 != 1]
    assert found == ROWS[left]
    assert columns["id"].to_pylist() == left


def test_each_write_is_a_version_until_they_are_removed(uri: str) -> None:
    assert lance.write(uri, ROWS[:9]) == 1
    assert lance.write(uri, ROWS[9:], mode="append") == 2
    assert lance.write(uri, mf.quantize(X, "e4m3"), IDS, mode="overwrite") == 3
    assert [len(lance.read(uri, version)[0]) for version in (1, 2, 3, None)] == [9, 60, 60, 60]
    pylance.dataset(uri).tags.create("first", 1)
    assert lance.read(uri, "first")[0] == ROWS[:9]
    assert lance.remove_versions(uri, older_than=timedelta(days=1)) == 0
    assert lance.remove_versions(uri, older_than=timedelta(0)) > 0
    assert lance.read(uri, "first")[0] == ROWS[:9]
    assert lance.read(uri)[0] == mf.quantize(X, "e4m3")
    message = f"version must be one that {uri} has: 1, 3, 'first'; got "
    refused(ValueError, f"{message}2", lance.read, uri, 2)
    refused(ValueError, f"{message}'second'", lance.read, uri, "second")


def test_no_version_is_removed_unless_one_says_so(uri: str) -> None:
    for i in range(30):
        lance.write(uri, ROWS[i : i + 1], mode="append" if i else "create")
    assert len(pylance.dataset(uri).versions()) == 30
    assert not any("cleanup" in key for key in pylance.dataset(uri).config())
    message = f"version must be one that {uri} has: the newest 9 of 30 are 22, 23, 24, 25, 26, 27, "
    refused(ValueError, message, lance.read, uri, 31)


def test_columns_are_appended_as_the_data_set_has_them(uri: str) -> None:
    pylance.write_dataset(pa.table({"n": pa.array(range(60)), "vectors": ROWS.to_arrow()}), uri)
    assert lance.read(uri)[0] == ROWS
    lance.write(uri, ROWS[:2], {"n": np.array([7, 8], np.uint8)}, mode="append")
    lance.write(uri, ROWS[2:4], {"n": [None, None]}, mode="append")
    found, columns = lance.read(uri)
    assert found == mf.PackedVectors.cat([ROWS, ROWS[:4]])
    assert columns["n"].to_pylist() == [*range(60), 7, 8, None, None]


@pytest.mark.parametrize("kept", sorted(path.name for path in KEPT.glob("*.lance")))
def test_data_sets_of_the_oldest_and_the_newest_version_are_read(kept: str) -> None:
    rows = mf.PackedVectors.load(KEPT / "rows.safetensors")
    found, columns = lance.read(KEPT / kept)
    assert (found, found.estimator, found.frame) == (rows, rows.estimator, rows.frame)
    assert columns["id"].to_pylist() == [*range(len(rows))]
    assert columns["name"].to_pylist() == [f"row {i}" for i in range(len(rows))]


def test_data_sets_are_kept_of_two_versions() -> None:
    assert len([*KEPT.glob("*.lance")]) == 2


def test_options_go_to_the_store(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    told: list[Any] = []
    for name in ("dataset", "write_dataset"):
        function = getattr(pylance, name)

        def call(*given: Any, function: Any = function, **options: Any) -> Any:
            told.append(options)
            return function(*given, **options)

        monkeypatch.setattr(pylance, name, call)
    options = {"region": "eu-central-1"}
    lance.write(uri, ROWS, storage_options=options)
    lance.read(uri, storage_options=options)
    lance.remove_versions(uri, older_than=timedelta(0), storage_options=options)
    assert [one["storage_options"] for one in told] == [options] * 3
    assert all(one["metadata_cache_size_bytes"] <= 1 << 26 for one in told[1:])
    assert all(one["index_cache_size_bytes"] <= 1 << 20 for one in told[1:])


def test_the_oldest_version_is_that_of_the_extra() -> None:
    oldest = ".".join(map(str, lance_datasets._OLDEST))
    assert f'"pylance>={oldest},<' in (ROOT / "pyproject.toml").read_text()
