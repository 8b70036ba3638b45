"""What killed writers leave, and who may remove it."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minifloat.files.replacing import replacing
from tests.files.replaced import STRAY, write
from tests.support.paths import ROOT


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path):
            assert len(list(tmp_path.iterdir())) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows"]
    assert path.read_bytes() == b"old"


def test_what_killed_writers_left_is_removed_by_the_next(tmp_path: Path) -> None:
    others = (".rows.tmp", "minifloat.tmp", f"{STRAY}x", STRAY.replace("0", "g"))
    for name in (STRAY, STRAY.replace("0", "1"), *others):
        (tmp_path / name).write_bytes(b"half a file")
    write(tmp_path / "rows")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "rows"])


def test_a_file_that_is_being_written_is_not_removed(tmp_path: Path) -> None:
    with replacing(tmp_path / "slow") as file:
        write(tmp_path / "quick")
        assert len(list(tmp_path.iterdir())) == 2
        os.write(file, b"late")
    assert (tmp_path / "slow").read_bytes() == b"late"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quick", "slow"]


def test_a_file_of_another_process_is_removed_when_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from minifloat.files.replacing import replacing\n"
        "with replacing(sys.argv[1]): print(flush=True); time.sleep(100)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "slow")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            write(tmp_path / "rows")
            assert len(list(tmp_path.iterdir())) == 2
        finally:
            process.kill()
    assert len(list(tmp_path.iterdir())) == 2
    write(tmp_path / "rows")
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_a_file_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    names: list[str] = []

    def late(file: int, operation: int) -> None:
        if not names:
            names.extend(path.name for path in tmp_path.iterdir())
            (tmp_path / names[0]).unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    write(tmp_path / "rows")
    assert len(names) == 1
    assert (tmp_path / "rows").read_bytes() == b"new"


def test_files_are_written_where_nothing_can_be_locked_and_then_none_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / STRAY).touch()
    write(tmp_path / "rows")
    assert sorted(path.name for path in tmp_path.iterdir()) == [STRAY, "rows"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists any folder")
def test_a_folder_that_cannot_be_listed_can_be_written_into(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o300)
    try:
        write(folder / "rows")
    finally:
        folder.chmod(0o700)
    assert [path.name for path in folder.iterdir()] == ["rows"]


def test_writers_that_are_killed_leave_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.proofs.killed_writers", "12", str(tmp_path)]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.fullmatch(
        r"12 writers killed, \d+ while they wrote; the file was whole after each, "
        r"and the next save left nothing else\n",
        run.stdout,
    )
