from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import minifloat as mf
from minifloat.cli.sources import source
from minifloat.vectors import quantizing
from tests.cli.conftest import DIM, KINDS, Rows
from tests.cli.running import fine, refused, run


def packed(path: str = "out.safetensors") -> mf.PackedVectors:
    rows = mf.PackedVectors.load(path, mmap=False)
    assert mf.PackedVectors.verify(path)
    return rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("folder")
def test_rows_of_each_kind_of_file_are_packed_as_by_quantize(kind: str, x: Rows) -> None:
    fine("quantize", kind, "out.safetensors", "--format", "e2m1", *KINDS[kind])
    assert packed() == mf.quantize(x, "e2m1")


@pytest.mark.usefixtures("folder")
def test_rows_come_through_a_pipe(x: Rows) -> None:
    data = Path("x.npy").read_bytes()
    fine("quantize", "-", "out.safetensors", "--format", "e4m3", stdin=data)
    assert packed() == mf.quantize(x, "e4m3")


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4"])
@pytest.mark.usefixtures("folder")
def test_rows_of_other_floats_are_packed(dtype: str, x: Rows) -> None:
    for given in (x.astype(dtype), np.asfortranarray(x.astype(dtype))):
        np.save("other.npy", given)
        fine("quantize", "other.npy", "out.safetensors", "--format", "e3m4")
        assert packed() == mf.quantize(x.astype(dtype), "e3m4")


@pytest.mark.usefixtures("folder")
def test_a_frame_is_that_of_all_rows(x: Rows) -> None:
    fine("quantize", "x.npy", "out.safetensors", "--format", "e2m1", "--frame", "fit", "--errors")
    frame = mf.Frame.fit(x)
    assert packed() == mf.quantize(x, "e2m1", frame=frame, errors=True)
    other = ("--format", "e2m3", "--frame", "out.safetensors", "--estimator", "norm")
    fine("quantize", "x.parquet", "other.safetensors", *other, "--key", "vector")
    assert packed("other.safetensors") == mf.quantize(x, "e2m3", frame=frame, estimator="norm")


@pytest.mark.usefixtures("folder")
def test_rows_are_scaled_as_is_said(x: Rows) -> None:
    how = ("--format", "e2m1", "--scale", "cosine", "--estimator", "unbiased")
    fine("quantize", "x.npy", "out.safetensors", *how)
    assert packed() == mf.quantize(x, "e2m1", scale="cosine", estimator="unbiased")


@pytest.mark.usefixtures("folder")
def test_codes_feed_back_in_a_frame_that_was_fitted_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source, "_VALUES", 40_000)
    rng = np.random.default_rng(1)
    # Few directions have most of these rows, as those of models.
    rows = rng.standard_normal((800, 4)) @ rng.standard_normal((4, 64)) + 1
    rows += 0.01 * rng.standard_normal(rows.shape)
    np.save("many.npy", rows)
    how = ("--format", "e2m1", "--frame", "fit", "--rounding", "feedback")
    fine("quantize", "many.npy", "out.safetensors", *how)
    frame = mf.Frame.fit(rows, feedback=True)
    assert packed() == mf.quantize(rows, "e2m1", frame=frame, rounding="feedback")


@pytest.mark.usefixtures("folder")
def test_no_rows_are_packed_too(x: Rows) -> None:
    np.save("none.npy", x[:0])
    table = pa.parquet.read_table("x.parquet").slice(0, 0)
    pa.parquet.write_table(table, "none.parquet")
    for kind, more in {"none.npy": (), "none.parquet": ("--key", "vector")}.items():
        fine("quantize", kind, "out.safetensors", "--format", "e2m1", *more)
        assert packed().shape == (0, DIM)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("x.npy", "out.safetensors", "--format", "e4m4"),
            f"format must be one of {', '.join(map(str, mf.FORMATS))}; got 'e4m4'",
        ),
        (
            ("x.npy", "out.bin", "--format", "e2m1"),
            "OUT must end in .safetensors; got 'out.bin'",
        ),
        (
            ("x.npz", "out.safetensors", "--format", "e2m1"),
            "x.npz has these arrays of vectors: embeddings, others; and --key says which",
        ),
        (
            ("x.parquet", "out.safetensors", "--format", "e2m1", "--key", "name"),
            "x.parquet has these columns of vectors: vector, others; got --key 'name'",
        ),
        (
            ("x.safetensors", "out.safetensors", "--format", "e2m1", "--key", "number"),
            "x.safetensors has these tensors of vectors: embeddings, others; got --key 'number'",
        ),
        (
            ("db.safetensors", "out.safetensors", "--format", "e2m1"),
            "db.safetensors holds packed vectors; minifloat convert makes floats of them",
        ),
        (
            ("ids.txt", "out.safetensors", "--format", "e2m1"),
            "ids.txt must end in .npy, .npz, .safetensors, .parquet, .arrow, .feather, or be - for "
            ".npy from stdin",
        ),
        (
            ("none.npy", "out.safetensors", "--format", "e2m1"),
            "none.npy: no such file or directory",
        ),
        (
            ("x.npy", "out.safetensors", "--format", "e2m1", "--frame", "db.safetensors"),
            "--frame must be fit, none or a file of rows in a frame; db.safetensors has rows in "
            "none",
        ),
        (
            ("-", "out.safetensors", "--format", "e2m1", "--frame", "fit"),
            "--frame fit reads rows twice, and stdin can be read once; write them to a file",
        ),
        (
            ("x.npy", "out.safetensors", "--format", "e2m1", "--rounding", "up"),
            "rounding must be one of nearest, feedback; got 'up'",
        ),
        (
            ("x.npy", "nowhere/out.safetensors", "--format", "e2m1"),
            "nowhere/out.safetensors cannot be written: there is no folder nowhere",
        ),
        (
            ("x.arrow", "out.safetensors", "--format", "e2m1", "--id", "name"),
            "--id and --ids-out go together: a packed file has no place for ids",
        ),
        (("x.npy", "out.safetensors"), "Missing option '--format'."),
        (("x.npy",), "Missing argument 'OUT'."),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    stdin = Path("x.npy").read_bytes()
    assert refused("quantize", *words, stdin=stdin) == told
    assert not Path("out.safetensors").exists()


@pytest.mark.parametrize("kind", ["x.npz", "x.parquet", "x.arrow", "lists.parquet"])
@pytest.mark.usefixtures("folder")
def test_ids_are_written_to_a_text(kind: str, x: Rows) -> None:
    named = ("--id", "name", "--ids-out", "out.ids", *KINDS[kind])
    fine("quantize", kind, "out.safetensors", "--format", "e2m1", *named)
    assert Path("out.ids").read_text() == Path("ids.txt").read_text()
    np.savez("odd.npz", x=x[:2], name=["a", "b\nc"])
    odd = ("odd.npz", "odd.safetensors", "--format", "e2m1", "--id", "name")
    told = refused("quantize", *odd, "--ids-out", "odd.ids")
    assert told == "an id must be one line without space around it; got 'b\\nc'"
    assert not Path("odd.ids").exists()


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("folder")
def test_a_warning_is_a_line(x: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    # Blocks have 7 rows here.
    monkeypatch.setattr(quantizing, "_FEWEST_JUDGED", 7)
    fine("quantize", "x.npy", "framed.safetensors", "--format", "e2m1", "--frame", "fit")
    np.save("other.npy", x - x.mean(0) - 5 * (np.arange(DIM) % 2 - 0.5))
    how = ("--format", "e2m1", "--frame", "framed.safetensors")
    done = run("quantize", "other.npy", "out.safetensors", *how)
    assert done.code == 0
    assert done.err.startswith("warning: the axes of the frame hold ")
