"""Builds that ended early go on from what is there, and tell where they cannot."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from minifloat.distributed import build_index
from minifloat.distributed.building.meanwhile import Meanwhile
from minifloat.index import Index
from minifloat.index.catalog.ids import Ids, as_ids
from minifloat.index.rows.kinds import Kind
from minifloat.index.writing.adopting import has_names, name_rows
from tests.distributed.killed import built, sources
from tests.support.paths import ROOT

ROWS = 140_000


def killed(folder: Path, *how: object) -> None:
    """Run builds that are killed, and compare the indexes that come of them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.distributed.killed", folder, *map(str, how)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr
    sums = done.stdout.splitlines()
    assert len(sums) > 1
    assert set(sums) == {sums[0]}


def test_a_build_that_is_killed_goes_on_from_there(tmp_path: Path) -> None:
    killed(tmp_path, "calls", 5, 19)


@pytest.mark.long
def test_a_build_that_is_killed_at_any_call_goes_on_from_there(tmp_path: Path) -> None:
    killed(tmp_path, "calls", 0, 1)


def test_ranks_that_are_killed_go_on_from_there(tmp_path: Path) -> None:
    killed(tmp_path, "time", 1, 6)


@pytest.mark.long
def test_ranks_that_are_killed_at_any_time_go_on_from_there(tmp_path: Path) -> None:
    killed(tmp_path, "time", 2, 60)


@pytest.fixture
def ended_early(tmp_path: Path) -> list[Path]:
    """Sources of a build that met an error in the last of three files; others are there."""
    files = sources(tmp_path)
    with pytest.raises(ValueError, match=r"^row 69980 of .*/2\.npy holds NaN or infinity; all"):
        _spoilt(files, tmp_path / "index")
    return files


def _spoilt(files: list[Path], path: Path) -> None:
    rows = np.load(files[2], mmap_mode="r+")
    was = os.stat(files[2])
    rows[69_980, 3] = np.nan
    rows.flush()
    os.utime(files[2], ns=(was.st_atime_ns, was.st_mtime_ns))
    try:
        built(path, files)
    finally:
        rows[69_980, 3] = 1
        rows.flush()
        os.utime(files[2], ns=(was.st_atime_ns, was.st_mtime_ns))


def blocks(folder: Path) -> dict[str, int]:
    """Return when each file of rows was written."""
    there = folder.glob("block-*")
    return {file.name: file.stat().st_mtime_ns for file in there}


def test_files_that_are_there_stay_and_damaged_ones_do_not(
    tmp_path: Path, ended_early: list[Path]
) -> None:
    path, folder = tmp_path / "index", tmp_path / ".index.building"
    assert not path.exists()
    before = blocks(folder)
    assert len(before) == 2
    damaged = folder / min(before)
    with damaged.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\1\2\3\4")
    (folder / ("block-" + 32 * "0" + ".safetensors")).touch()
    built(path, ended_early)
    assert not folder.exists()
    now = blocks(path)
    assert now.keys() == before.keys()
    kept = max(before)
    assert now[kept] == before[kept]
    assert now[damaged.name] > before[damaged.name]
    with Index.open(path, verify=True) as index:
        assert index.check() == []
        assert len(index) == ROWS


def test_what_differs_from_an_earlier_build_is_told(
    tmp_path: Path, ended_early: list[Path]
) -> None:
    path, folder = tmp_path / "index", tmp_path / ".index.building"
    begin = f"{folder} has files of another build, which ended early: "
    end = "; build that to its end, or remove this folder to start anew"
    for given, differs in (
        ({"format": "e4m3"}, "format was e2m1 and is e4m3"),
        ({"errors": True}, "errors was 0 and is 1"),
        ({"sources": ended_early[1:]}, "there were sources of 3 files and are of 2"),
        (
            {"ids": [range(70_000), range(70_000, 70_010), range(70_010, ROWS)]},
            "there were ids of 0 files and are of 3",
        ),
    ):
        told: dict[str, object] = {"format": "e2m1", "sources": ended_early, **given}
        with pytest.raises(ValueError, match=f"^{re.escape(begin + differs + end)}$"):
            build_index(path, told.pop("sources"), told.pop("format"), **told)  # type: ignore[arg-type]
    was = ended_early[0].stat()
    os.utime(ended_early[0], ns=(was.st_atime_ns, was.st_mtime_ns + 10**9))
    file = re.escape(str(ended_early[0]))
    one = rf"70000 rows of {file} \({was.st_size} bytes, written [-0-9:. ]+\)"
    with pytest.raises(ValueError, match=f"source 0 was {one} and is {one}{end}$"):
        built(path, ended_early)
    assert len(blocks(folder)) == 2
    shutil.rmtree(folder)
    built(path, ended_early)
    assert len(Index.open(path)) == ROWS


def test_a_build_that_has_no_file_yet_is_any(tmp_path: Path) -> None:
    x = torch.randn(100, 8, generator=torch.Generator().manual_seed(1)).numpy()
    np.save(tmp_path / "x.npy", x)
    x[50] = np.inf
    np.save(tmp_path / "y.npy", x)
    with pytest.raises(ValueError, match=r"^row 50 of .*/y\.npy holds NaN or infinity; all values"):
        build_index(tmp_path / "index", [tmp_path / "y.npy"], "e2m1")
    assert build_index(tmp_path / "index", [tmp_path / "x.npy"], "e4m3") == 100


def test_to_name_rows_ends_where_nobody_waits_for_it(tmp_path: Path) -> None:
    kind, taken = Kind.of(8, "e2m1", None, {}), []

    def batches() -> Iterator[Ids]:
        for first in range(0, 10**9, 1000):
            taken.append(first)
            yield as_ids(range(first, first + 1000))

    def work(is_over: Callable[[], bool]) -> None:
        name_rows(tmp_path, kind, "integer", batches(), is_over)

    with Meanwhile(work) as naming:
        while not taken:
            assert not naming.is_done(0.01)
    with pytest.raises(sqlite3.OperationalError, match=r"^interrupted$"):
        naming.is_done()
    assert not has_names(tmp_path)
