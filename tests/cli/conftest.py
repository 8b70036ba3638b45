"""A folder with the same rows in a file of each kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

import minifloat as mf
from minifloat.cli.sources import source
from tests.cli.running import fine

ROWS, DIM = 100, 13
Rows = NDArray[np.float32]

FORMAT = ("--format", "e2m1")
NAMES = [f"s{i:03}" for i in range(ROWS)]

# Of each kind of file: how its rows and their ids are asked for.
KINDS = {
    "x.npy": (),
    "x.npz": ("--key", "embeddings"),
    "x.safetensors": ("--key", "embeddings"),
    "x.parquet": ("--key", "vector"),
    "lists.parquet": (),
    "x.arrow": (),
    "x.feather": (),
}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in blocks of 7."""
    monkeypatch.setattr(source, "_VALUES", 7 * DIM)


@pytest.fixture(scope="session")
def x() -> Rows:
    rows = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32) + 1
    rows[50:53] = rows[3:6]
    return rows


@pytest.fixture
def folder(x: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that commands run in."""
    numbers = np.arange(ROWS) * 10
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", embeddings=x, others=x[:, :2], name=NAMES, number=numbers)
    tensors: dict[str, NDArray[Any]] = {
        "embeddings": x,
        "others": x[:, :2].copy(),
        "number": numbers,
    }
    save_file(tensors, tmp_path / "x.safetensors")
    flat = pa.array(x.reshape(-1))
    columns = {
        "vector": pa.FixedSizeListArray.from_arrays(flat, DIM),
        "others": pa.array(x[:, :2].tolist()),
        "name": pa.array(NAMES),
        "number": pa.array(numbers),
        "day": pa.array([i % 30 for i in range(ROWS)]),
    }
    table = pa.table(columns)
    pa.parquet.write_table(table, tmp_path / "x.parquet", row_group_size=40)
    lists = pa.table({"v": pa.array([*x], pa.list_(pa.float32())), "name": NAMES})
    pa.parquet.write_table(lists, tmp_path / "lists.parquet", row_group_size=40)
    for end in ("arrow", "feather"):
        few = table.drop_columns("others")
        with pa.ipc.new_file(tmp_path / f"x.{end}", few.schema) as file:
            file.write_table(few, 40)
    (tmp_path / "ids.txt").write_text("".join(f"{name}\n" for name in NAMES))
    mf.quantize(x, "e2m1", errors=True).save(tmp_path / "db.safetensors")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    # What failed or was interrupted leaves nothing beside the files.
    assert not [*tmp_path.glob(".minifloat-*")]


@pytest.fixture
def index(folder: Path) -> str:
    """An index of the rows by their names, with a column."""
    named = ("--id", "name", "--column", "day=integer indexed", "--key", "vector")
    done = fine("index", "create", "i", "x.parquet", *FORMAT, "--errors", *named)
    assert done.out == "added,rows,version\n100,100,1\n"
    return "i"
