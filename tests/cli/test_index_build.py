"""`minifloat index build`, by itself and under torchrun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from tests.cli.conftest import DIM, FORMAT, NAMES, ROWS, Rows
from tests.cli.running import fine, refused
from tests.support.paths import ROOT


@pytest.mark.usefixtures("folder")
def test_an_index_is_built_of_many_files(x: Rows) -> None:
    np.save("names.npy", np.array(NAMES))
    np.save("others.npy", np.array([f"other {name}" for name in NAMES]))
    more = ("--ids", "names.npy", "--ids", "others.npy", "--json")
    done = fine("index", "build", "i", "x.npy", "x.npy", *FORMAT, *more)
    assert done.out == f'{{"rows": {2 * ROWS}, "version": 1}}\n'
    with mf.Index.open("i") as made:
        assert [*made][:ROWS] == NAMES
        assert made.get(NAMES).vectors == mf.quantize(x, "e2m1")
        assert made.check() == []


@pytest.mark.usefixtures("folder")
def test_packed_rows_are_built_in_their_frame(x: Rows) -> None:
    frame = mf.Frame.fit(x)
    mf.quantize(x, "e2m1", frame=frame).save("framed.safetensors")
    given = ("framed.safetensors", "x.npy", "--frame", "framed.safetensors")
    assert fine("index", "build", "i", *given, *FORMAT).out == f"rows,version\n{2 * ROWS},1\n"
    with mf.Index.open("i") as made:
        assert made.frame == frame
        assert made.get([0, ROWS]).vectors.codes.unique(dim=0).shape[0] == 1


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_built_is_one_line() -> None:
    assert refused("index", "build", "i", "x.npy", *FORMAT, "--key", "x").startswith(
        "sources must be .npy or .safetensors files, or pairs of a .safetensors file and the name "
    )
    assert refused("index", "build", "i", "x.npy", *FORMAT, "--frame", "db.safetensors") == (
        "--frame must be fit, none or a file of rows in a frame; db.safetensors has rows in none"
    )
    fine("index", "build", "i", "x.npy", *FORMAT)
    there = "i is there and not empty: Index.open opens an index"
    assert refused("index", "build", "i", "x.npy", *FORMAT) == there


def test_torchrun_shares_the_work(tmp_path: Path) -> None:
    x = np.random.default_rng(1).standard_normal((150_000, DIM)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    command = [*launch, "-m", "minifloat", "index", "build", "i", "x.npy", *FORMAT]
    given = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, **given)  # type: ignore[call-overload]
    assert (done.returncode, done.stdout) == (0, "rows,version\n150000,1\n"), done.stderr
    with mf.Index.open(tmp_path / "i") as made:
        assert made.check() == []
        assert made.stats().files == 2
    again = subprocess.run(command, capture_output=True, text=True, timeout=200, **given)  # type: ignore[call-overload]
    assert again.returncode != 0
    told = [line for line in again.stderr.splitlines() if line.startswith("error: ")]
    assert told == ["error: i is there and not empty: Index.open opens an index"]
