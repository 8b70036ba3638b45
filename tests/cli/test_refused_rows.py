"""Rows that no command takes, by `quantize`."""

import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.cli.conftest import DIM, KINDS, Rows
from tests.cli.running import refused


@pytest.mark.usefixtures("folder")
def test_a_row_that_is_not_finite_is_named_and_the_old_file_stays(x: Rows) -> None:
    before = Path("db.safetensors").read_bytes()
    bad = x.copy()
    bad[40, 3] = np.nan
    np.save("bad.npy", bad)
    told = refused("quantize", "bad.npy", "db.safetensors", "--format", "e2m1")
    assert told == "row 40 of bad.npy holds NaN or infinity; all values must be finite"
    assert Path("db.safetensors").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_an_array_that_is_no_rows_of_floats_is_refused(x: Rows) -> None:
    wanted = "must be rows of float16, bfloat16, float32 or float64, (rows, dim)"
    for given, got in (
        (x[0], f"got float32 of shape ({DIM},)"),
        (x.astype(np.int32), f"got int32 of shape (100, {DIM})"),
    ):
        np.save("other.npy", given)
        told = refused("quantize", "other.npy", "out.safetensors", "--format", "e2m1")
        assert told == f"other.npy {wanted}; {got}"


@pytest.mark.usefixtures("folder")
def test_files_that_are_damaged_are_refused() -> None:
    for kind in KINDS:
        whole = Path(kind).read_bytes()
        name = f"cut{Path(kind).suffix}"
        Path(name).write_bytes(whole[: len(whole) // 2])
        told = refused("quantize", name, "out.safetensors", "--format", "e2m1", *KINDS[kind])
        assert told
    Path("text.npz").write_text("no archive")
    told = refused("quantize", "text.npz", "out.safetensors", "--format", "e2m1")
    assert told == "text.npz cannot be read as an .npz file (File is not a zip file)"
    cut = Path("x.npy").read_bytes()[:-60]
    told = refused("quantize", "-", "out.safetensors", "--format", "e2m1", stdin=cut)
    assert told == "stdin must hold 100 rows; it ends in row 98"


@pytest.mark.usefixtures("folder")
def test_rows_of_columns_must_be_there_and_of_one_length(x: Rows) -> None:
    rows: list[list[float] | None] = [*x.tolist()]
    for wrong, told in (
        (None, "row 20 of wrong.parquet[v] is null; all rows must be vectors"),
        (
            [1.0],
            f"rows of wrong.parquet[v] must have one length; got 1 in row 20 and {DIM} in row 0",
        ),
    ):
        rows[20] = wrong
        table = pa.table({"v": pa.array(rows, pa.list_(pa.float32()))})
        pa.parquet.write_table(table, "wrong.parquet")
        assert refused("quantize", "wrong.parquet", "o.safetensors", "--format", "e2m1") == told


@pytest.mark.usefixtures("folder")
def test_a_shape_that_is_not_filled_takes_no_memory(x: Rows) -> None:
    claimed = 10**15
    facts = {"descr": "<f4", "fortran_order": False, "shape": (claimed, DIM)}
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, facts)
    data.write(x.tobytes())
    with zipfile.ZipFile("claims.npz", "w") as archive:
        archive.writestr("x.npy", data.getvalue())
    Path("claims.npy").write_bytes(data.getvalue())
    for file, told in (
        ("claims.npz", f"claims.npz[x] must hold {claimed} rows; it has bytes of 100"),
        ("claims.npy", "claims.npy cannot be read as a .npy file (mmap length is greater"),
        ("-", f"{claimed} packed rows do not fit into memory"),
    ):
        words = ("quantize", file, "out.safetensors", "--format", "e2m1")
        assert refused(*words, stdin=data.getvalue()).startswith(told)


@pytest.mark.usefixtures("folder")
def test_an_array_that_is_there_twice_is_refused(x: Rows) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile("twice.npz", "w") as archive:
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.write("x.npy", "x.npy")
    told = refused("quantize", "twice.npz", "out.safetensors", "--format", "e2m1")
    assert told == "twice.npz has array 'x' twice: either might count"


@pytest.mark.usefixtures("folder")
def test_objects_in_arrays_are_not_run() -> None:
    np.save("objects.npy", np.array([[{}]], object), allow_pickle=True)
    told = refused("quantize", "objects.npy", "out.safetensors", "--format", "e2m1")
    assert told.startswith(
        "objects.npy cannot be read as a .npy file (Array can't be memory-mapped"
    )
    np.savez("objects.npz", a=np.array([[{}]], object))
    told = refused("quantize", "objects.npz", "out.safetensors", "--format", "e2m1")
    assert "must be rows of float16" in told
