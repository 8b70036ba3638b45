import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.feather
import pyarrow.parquet
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from safetensors.torch import save_file

import minifloat as mf
from tests.cli.conftest import KINDS, NAMES, Rows
from tests.cli.running import fine, refused

TARGETS = ("out.npy", "out.npz", "out.safetensors", "out.parquet", "out.arrow", "out.feather")


def member(path: str, name: str) -> NDArray[Any]:
    with np.load(path) as arrays:
        return arrays[name]  # type: ignore[no-any-return]


def vectors(path: str) -> NDArray[np.float32]:
    end = Path(path).suffix
    if end == ".npy":
        return np.load(path)  # type: ignore[no-any-return]
    if end == ".npz":
        return member(path, "embeddings")
    if end == ".safetensors":
        return load_file(path)["embeddings"]
    read = pyarrow.parquet.read_table if end == ".parquet" else pyarrow.feather.read_table
    column = read(path)["vector"].combine_chunks()
    return np.array(column.to_pylist(), np.float32)


@pytest.mark.parametrize(("kind", "out"), [*itertools.product(KINDS, TARGETS)])
@pytest.mark.usefixtures("folder")
def test_rows_of_each_kind_of_file_become_each_other_kind(kind: str, out: str, x: Rows) -> None:
    fine("convert", kind, out, *KINDS[kind])
    assert vectors(out).dtype == np.float32
    np.testing.assert_array_equal(vectors(out), x)
    # What was written is read again.
    fine("convert", out, "again.npy")
    assert Path("again.npy").read_bytes() == Path("x.npy").read_bytes()


@pytest.mark.parametrize("out", TARGETS)
@pytest.mark.usefixtures("folder")
def test_packed_rows_become_floats(out: str) -> None:
    rows = mf.PackedVectors.load("db.safetensors").dequantize().numpy()
    fine("convert", "db.safetensors", out, "--decode")
    np.testing.assert_array_equal(vectors(out), rows)


@pytest.mark.parametrize("framed", [False, True], ids=["plain", "framed"])
@pytest.mark.parametrize("out", ["out.safetensors", "out.parquet", "out.arrow", "out.feather"])
@pytest.mark.usefixtures("folder")
def test_packed_rows_stay_packed_where_they_can(out: str, framed: bool, x: Rows) -> None:
    frame = mf.Frame.fit(x) if framed else None
    rows = mf.quantize(x, "e2m3", frame=frame, errors=framed)
    rows.save("in.safetensors")
    fine("convert", "in.safetensors", out)
    fine("convert", out, "again.safetensors")
    assert mf.PackedVectors.load("again.safetensors", verify=True) == rows
    if out == "out.safetensors":
        return
    fine("convert", "in.safetensors", out, "--ids", "ids.txt")
    told = refused("convert", out, "again.safetensors", "--id", "id")
    place = "a packed file has no place for ids; Parquet and Arrow have"
    assert told == f"again.safetensors: {place}"
    # They are what packed files are to other commands.
    plain = fine("search", "x.npy", "in.safetensors", "-k", 1).table()
    assert fine("search", out, "in.safetensors", "-k", 1).table()[0]["row"] == plain[0]["row"]
    fine("index", "create", "i", out, "--format", "e2m3", "--id", "id")
    made = mf.Index.open("i")
    assert made.get(NAMES).vectors.codes.equal(rows.codes)
    made.close()
    told = refused("quantize", out, "o.safetensors", "--format", "e2m1")
    assert told == f"{out}[vector] holds packed vectors; minifloat convert makes floats of them"


@pytest.mark.parametrize("out", ["none.parquet", "none.arrow"])
@pytest.mark.usefixtures("folder")
def test_no_packed_rows_stay_so(out: str, x: Rows) -> None:
    mf.quantize(x[:0], "e2m3").save("in.safetensors")
    fine("convert", "in.safetensors", out)
    fine("convert", out, "again.safetensors")
    assert mf.PackedVectors.load("again.safetensors").shape == (0, 13)


@pytest.mark.parametrize("out", [name for name in TARGETS if name != "out.npy"])
@pytest.mark.usefixtures("folder")
def test_ids_are_kept(out: str) -> None:
    fine("convert", "x.parquet", out, "--key", "vector", "--id", "number")
    read = ("--key", "embeddings") if Path(out).suffix in (".npz", ".safetensors") else ()
    fine("convert", out, "again.npz", "--id", "id", *read)
    np.testing.assert_array_equal(member("again.npz", "id"), np.arange(100) * 10)
    if out != "out.safetensors":
        fine("convert", "x.npy", out, "--ids", "ids.txt")
        fine("convert", out, "again.npz", "--id", "id", *read)
        assert member("again.npz", "id").tolist() == Path("ids.txt").read_text().split()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.usefixtures("folder")
def test_floats_keep_their_type_where_others_have_it(dtype: torch.dtype, x: Rows) -> None:
    rows = torch.from_numpy(x).to(dtype)
    save_file({"rows": rows}, "other.safetensors")
    kept = torch.float32 if dtype == torch.bfloat16 else dtype
    for out in ("out.npy", "out.npz", "out.safetensors", "out.parquet", "out.arrow"):
        fine("convert", "other.safetensors", out)
        fine("convert", out, "again.npy")
        assert torch.equal(torch.from_numpy(np.load("again.npy")), rows.to(kept))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("x.npy", "out.csv"),
            "out.csv must end in .npy, .npz, .safetensors, .parquet, .arrow, .feather, or be - for "
            ".npy to stdout",
        ),
        (
            ("x.npy", "out.npy", "--ids", "ids.txt"),
            "out.npy: .npy has no place for ids; .npz, Parquet and Arrow have",
        ),
        (
            ("x.npy", "out.safetensors", "--ids", "ids.txt"),
            "out.safetensors: safetensors hold ids that are integers alone; .npz, Parquet and "
            "Arrow hold others; got 's000'",
        ),
        (
            ("db.safetensors", "out.npy", "--key", "codes"),
            "db.safetensors holds packed vectors alone; got --key 'codes'",
        ),
        (
            ("x.npz", "out.npz", "--key", "embeddings", "--id", "names"),
            "x.npz has arrays embeddings, others, name, number; got 'names'",
        ),
        (
            ("x.safetensors", "out.npz", "--key", "embeddings", "--id", "name"),
            "x.safetensors has these tensors of a value a row: number; got 'name'",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    before = {*Path().iterdir()}
    assert refused("convert", *words) == told
    assert {*Path().iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_a_file_may_become_itself(x: Rows) -> None:
    fine("convert", "x.npy", "x.npy")
    np.testing.assert_array_equal(np.load("x.npy"), x)
