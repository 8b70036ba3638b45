"""Behaviour tests as a step of a run: which they are, and what is told of each."""

import re
import sys
from pathlib import Path
from time import monotonic

import pytest

from benchmarks.gpu import steps
from benchmarks.gpu.supervisor import supervise
from tests.benchmarks.gpu.heard import Heard, worker
from tests.support.paths import ROOT

SUITE = """
import os, pytest, time

def test_one_gpu(): pass
def test_two_gpu(): assert False, "why"
def test_three_gpu(): pytest.skip("because")
def test_four(): assert False
def test_five_gpu(): time.sleep(3600)
def test_six_gpu(): os._exit(3)
def test_seven_gpu(): pass
"""


@pytest.mark.long
def test_a_suite_tells_of_every_test_and_outlives_those_that_hang_or_die(tmp_path: Path) -> None:
    tests, broken = tmp_path / "test_small.py", tmp_path / "test_broken.py"
    tests.write_text(SUITE)
    broken.write_text("import nothing_of_this_name")
    heard = Heard()
    program = [sys.executable, "-m", "benchmarks.gpu.suite", "--choice", "gpu"]
    one = worker(*program, str(tests), str(broken), item_seconds=6)
    assert supervise(one, set(), monotonic() + 120, heard.listener) is None
    found = {name.split("::")[-1]: failures for name, failures in heard.failures.items()}
    broken_name = next(name for name in found if "test_broken" in name)
    assert "nothing_of_this_name" in found.pop(broken_name)["import"]
    assert "why" in found["test_two_gpu"].pop("call")
    assert found == {
        "test_one_gpu": {},
        "test_two_gpu": {},
        "test_three_gpu": {},
        "test_five_gpu": {"all": "stopped after 6 s"},
        "test_six_gpu": {"all": "ended with exit status 3"},
        "test_seven_gpu": {},
    }
    skipped = [e["record"]["skipped"] for e in heard.events if "skipped" in e.get("record", {})]
    assert skipped == ["Skipped: because"]
    assert any(re.match(r"passed .*test_one_gpu 0\.\d\d s", line) for line in heard.lines)


def test_a_test_that_takes_the_device_along_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    tests = tmp_path / "test_small.py"
    tests.write_text(
        "from benchmarks.gpu import suite\n"
        "def test_one(): pass\n"
        "def test_two(monkeypatch): suite.device_lives.alive = False\n"
        "def test_three(): pass\n"
    )
    program = (
        "import sys; from benchmarks.gpu import suite\n"
        "def lives(): return getattr(lives, 'alive', True)\n"
        "suite.device_lives = lives\n"
        "sys.exit(suite.main(['--choice', 'test', sys.argv[1]]))"
    )
    heard = Heard()
    one = worker(sys.executable, "-c", program, str(tests))
    assert supervise(one, set(), monotonic() + 120, heard.listener) is None
    found = {name.split("::")[-1]: failures for name, failures in heard.failures.items()}
    dead = {"device": "the device does not answer any more"}
    assert found == {"test_one": {}, "test_two": dead, "test_three": {}}


def test_a_file_that_is_not_there_fails_the_step() -> None:
    heard = Heard()
    program = [sys.executable, "-m", "benchmarks.gpu.suite", "--choice", "gpu"]
    one = worker(*program, "tests/test_nothing.py")
    why = supervise(one, set(), monotonic() + 120, heard.listener)
    assert why == "ended with exit status 4"
    assert "ERROR: file or directory not found: tests/test_nothing.py" in heard.lines


def test_tests_of_a_gpu_are_found_by_their_mark_whatever_they_are_called() -> None:
    marked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if steps.MARK.search(path.read_text())
    }
    assert set(steps.gpu_tests()) == marked
    assert {name.split("/")[1] for name in marked} == {
        *("backends", "codec", "distributed", "ops", "scoring", "vectors")
    }


def test_no_marked_test_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no test in .*/tests has the mark"):
        steps.gpu_tests()
