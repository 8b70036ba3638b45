"""An index loses nothing: short forms of what scripts/test --faults tries for long."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from minifloat.index import Index, InUseError
from tests.index.faults.scenarios import SCENARIOS
from tests.index.faults.soaking import Sample, grown
from tests.index.model import DIM, row
from tests.proofs.index_faults import NOT_HERE


def tried(option: str, value: int) -> str:
    """Return what was printed, by a process that has no threads, and nothing loaded, of others."""
    command = [sys.executable, "-m", "tests.proofs.index_faults", option, str(value)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode == NOT_HERE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_kill_at_a_call_loses_nothing() -> None:
    assert len(re.findall(r"\d+ killed", tried("--kills", 40))) == len(SCENARIOS)


def test_a_power_cut_loses_nothing_that_was_acknowledged() -> None:
    assert len(re.findall("power cut 2 times", tried("--cuts", 28))) == len(SCENARIOS)


def test_damage_is_found_or_changes_nothing() -> None:
    said = tried("--flips", 4000)
    assert len(re.findall(r"[1-9]\d* bytes changed", said)) == 3
    assert "safetensors not opened" in said


def test_a_disk_that_fails_leaves_all_or_nothing_and_an_index_that_goes_on() -> None:
    said = tried("--failures", 100)
    assert sum(map(int, re.findall(r"(\d+) calls failed", said))) > 20


def test_an_interrupted_call_leaves_all_or_nothing_and_an_index_that_goes_on() -> None:
    said = tried("--interrupts", 300)
    assert "300 calls" in said
    assert "nothing of it there" in said
    assert "all of it there" in said


@pytest.mark.long
def test_answers_of_many_are_of_one_version_and_nothing_grows() -> None:
    said = tried("--soak", 6)
    assert len(re.findall(r"[1-9][\d,]* rounds of", said)) == 4


def test_what_grows_is_told() -> None:
    flat = [Sample("a", "open", at, 7) for at in range(12)]
    rising = [Sample("b", "files", at, 10 + 2 * at) for at in range(12)]
    assert grown([*flat, *rising]) == ["b: files grew from 12.0 to 30.0"]


def test_of_two_processes_that_add_an_id_one_does(tmp_path: Path) -> None:
    with Index.create(tmp_path / "a", DIM, "e2m1") as index:
        index.add(["first"], row(0))
    code = (
        "import sys, torch, minifloat\n"
        "index = minifloat.Index.open(sys.argv[1])\n"
        f"index.add(['both'], torch.ones(1, {DIM}))\n"
        "print(index.commit(), flush=True)\n"
        "sys.stdin.read()\n"
        "index.close()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == "2\n"
        second = Index.open(tmp_path / "a")
        with pytest.raises(InUseError, match=f"which is process {other.pid} on"):
            second.add(["both"], row(1))
        other.stdin.close()
        assert other.wait() == 0
    with pytest.raises(ValueError, match="1 of 1 ids are in the index already: 'both'"):
        second.add(["both"], row(1))
    second.close()
    with Index.open(tmp_path / "a", verify=True) as index:
        assert list(index) == ["first", "both"]
