import json
from pathlib import Path

import pytest
import torch

import minifloat as mf
from tests.cli.conftest import DIM, KINDS, ROWS, Rows
from tests.cli.running import fine, refused, run


def test_without_a_file_it_tells_what_runs_here() -> None:
    out = fine("info").out
    assert f"minifloat {mf.__version__}, torch {torch.__version__}" in out
    assert {*out.split()} >= {format.name for format in mf.FORMATS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("folder")
def test_float_rows_are_told_of(kind: str) -> None:
    facts = json.loads(fine("info", kind, "--json", *KINDS[kind]).out)
    told = {"kind": "float rows", "rows": ROWS, "dim": DIM, "dtype": "float32"}
    assert facts == {**told, "file": facts["file"]}
    assert facts["file"].startswith(kind)


@pytest.mark.usefixtures("folder")
def test_packed_rows_are_told_of(x: Rows) -> None:
    lines = fine("info", "db.safetensors").out.splitlines()
    told = dict(line.split(":", 1) for line in lines)
    assert {name: value.strip() for name, value in told.items()} == {
        "kind": "packed vectors",
        "file": "db.safetensors",
        "rows": str(ROWS),
        "dim": str(DIM),
        "format": "e2m1",
        "bits": "4",
        "bytes_per_row": "12",
        "bytes": str(Path("db.safetensors").stat().st_size),
        "estimator": "norm",
        "frame": "None",
        "errors": "True",
        "checksums": "True",
    }
    frame = mf.Frame.fit(x)
    mf.quantize(x, "e2m1", frame=frame).save("framed.safetensors")
    facts = json.loads(fine("info", "framed.safetensors", "--json", "--verify").out)
    assert (facts["frame"], facts["verified"]) == (repr(frame), True)


@pytest.mark.parametrize("kind", ["db.parquet", "db.arrow"])
@pytest.mark.usefixtures("folder")
def test_packed_columns_are_told_of(kind: str) -> None:
    fine("convert", "db.safetensors", kind)
    packed = json.loads(fine("info", "db.safetensors", "--json").out)
    told = {"file": f"{kind}[vector]", "bytes": Path(kind).stat().st_size}
    packed.pop("checksums")
    assert json.loads(fine("info", kind, "--json").out) == packed | told


@pytest.mark.usefixtures("folder")
def test_damage_is_told_by_the_exit_code() -> None:
    file = Path("db.safetensors")
    whole = bytearray(file.read_bytes())
    whole[-150] ^= 1
    file.write_bytes(whole)
    assert run("info", "db.safetensors").code == 0
    done = run("info", "db.safetensors", "--verify")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("damaged: db.safetensors is damaged: the ")


@pytest.mark.usefixtures("folder")
def test_what_is_of_no_kind_is_told() -> None:
    told = "--verify is of packed files, .safetensors, which have checksums; got x.npy"
    assert refused("info", "x.npy", "--verify") == told
    assert refused("info", "ids.txt").startswith("ids.txt must end in ")
