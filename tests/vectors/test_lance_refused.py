"""What data sets of Lance and what goes into them must be, and what is said of all else."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import minifloat as mf
from tests.vectors.lance_rows import FRAME, IDS, ROWS, X, refused

pa = pytest.importorskip("pyarrow")
pylance = pytest.importorskip("lance")
lance = pytest.importorskip("minifloat.vectors.lance")


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "rows.lance")


def test_what_is_not_there_is_told(uri: str, tmp_path: Path) -> None:
    message = f"{uri} holds no Lance data set; minifloat.vectors.lance.write makes one"
    refused(FileNotFoundError, message, lance.read, uri)
    refused(FileNotFoundError, message, lance.read, uri, 3)
    refused(FileNotFoundError, message, lance.write, uri, ROWS, mode="append")
    refused(FileNotFoundError, message, lance.remove_versions, uri, older_than=timedelta(0))
    refused(FileNotFoundError, str(tmp_path), lance.read, tmp_path)


def test_a_data_set_that_is_there_is_not_written_over(uri: str) -> None:
    lance.write(uri, ROWS)
    message = f"{uri} holds a Lance data set: mode='append' adds rows to it, and mode='overwrite'"
    refused(FileExistsError, message, lance.write, uri, ROWS)
    modes = "mode must be one of create, append, overwrite; got 'replace'"
    refused(ValueError, modes, lance.write, uri, ROWS, mode="replace")


def test_a_data_set_of_another_kind_is_refused(uri: str) -> None:
    pylance.write_dataset(pa.table({"vectors": [1], "x": ["a"]}), uri)
    message = (
        f"{uri} must have a column 'vectors' of type minifloat.vectors, as write makes it; it has "
        "vectors: int64, x: string. PackedVectors.from_arrow reads rows of other columns"
    )
    refused(ValueError, message, lance.read, uri)
    refused(ValueError, message, lance.write, uri, ROWS, {"x": ["a"] * 60}, mode="append")
    refused(ValueError, message, lance.remove_versions, uri, older_than=timedelta(0))


def test_rows_and_columns_that_do_not_fit_are_refused(uri: str) -> None:
    lance.write(uri, ROWS, IDS)
    other = mf.quantize(X, "e2m1")
    kind = f"dim 48 in e2m1 in frame {FRAME.digest}, estimator unbiased with errors"
    message = f"{uri} has rows of {kind}, and takes no others; got dim 48 in e2m1, estimator norm"
    refused(ValueError, message, lance.write, uri, other, IDS, mode="append")
    message = f"{uri} has, beside its rows, these columns: id, name; got "
    refused(ValueError, f"{message}none", lance.write, uri, ROWS, mode="append")
    refused(ValueError, f"{message}id", lance.write, uri, ROWS, {"id": range(60)}, mode="append")
    for name, values, told in (
        ("id", [1], "column 'id' must have 60 values, as rows; got 1"),
        ("vectors", range(60), "columns must have other names than 'vectors', which is the rows'"),
    ):
        refused(ValueError, told, lance.write, uri, ROWS, {name: values}, mode="overwrite")
    assert len(pylance.dataset(uri).versions()) == 1


def test_columns_that_cannot_be_as_those_there_are_named(uri: str) -> None:
    lance.write(uri, ROWS, IDS)
    message = "column 'id' must be int64, as that there: "
    columns = IDS | {"id": ["x"] * 60}
    refused(ValueError, message, lance.write, uri, ROWS, columns, mode="append")


def test_rows_that_no_reader_takes_are_not_written(uri: str) -> None:
    rows = mf.quantize(X, "e2m1")
    rows.reciprocal_norms[7] = -1
    message = "these rows cannot be handed on: row 7 has reciprocal norm -1"
    refused(ValueError, message, lance.write, uri, rows)
    refused(FileNotFoundError, uri, lance.read, uri)


def test_rows_of_no_kind_are_named(uri: str) -> None:
    values: list[Any] = [bytes(row) for row in ROWS.to_arrow().storage.to_pylist()]
    values[41] = None
    kind = ROWS.to_arrow().type
    nulls = pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
    pylance.write_dataset(pa.table({"vectors": nulls}), uri)
    refused(ValueError, "row 41 is null; each row must have its 37 bytes", lance.read, uri)


def test_a_store_that_does_not_answer_is_told() -> None:
    options = {
        "aws_endpoint": "http://127.0.0.1:9",
        "aws_access_key_id": "x",
        "aws_secret_access_key": "x",
        "aws_region": "x",
        "allow_http": "true",
        "client_max_retries": "0",
    }
    uri = "s3://bucket/rows.lance"
    refused(OSError, f"{uri} cannot be opened: ", lance.read, uri, storage_options=options)


def test_without_pylance_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    install = "pip install 'minifloat[lance]'"
    monkeypatch.setattr(pylance, "__version__", "1.0.4")
    message = f"data sets of Lance need pylance 2.0.1 or later; got 1.0.4: {install}"
    refused(ImportError, message, lance.read, uri)
    monkeypatch.setitem(sys.modules, "lance", None)
    refused(ImportError, f"data sets of Lance need pylance: {install}", lance.write, uri, ROWS)
