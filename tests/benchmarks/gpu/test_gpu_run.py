"""The run on a machine with a GPU: its steps, and what becomes of it where they fail."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import torch

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import build, results
from benchmarks.gpu.options import parse
from benchmarks.gpu.report import Report
from benchmarks.gpu.steps import FORMATS, TESTS, steps
from benchmarks.gpu.supervisor import Listener, Worker, supervise
from benchmarks.gpu.telling import Task, event_of, write_task
from tests.support.paths import ROOT

MEASURE = [sys.executable, "-m", "benchmarks.gpu.measure", "--device", "cpu", "--backends", "cpu"]
REGISTRY = "tests.benchmarks.gpu.gpu_faults"
FAULTS = {"PYTHONPATH": str(ROOT)}


class Heard:
    """What a worker said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.listener = Listener(self.lines.append, self.events.append)

    @property
    def failures(self) -> dict[str, dict[str, str]]:
        return {e["end"]: e["record"]["failures"] for e in self.events if "end" in e}


def worker(*command: str, item_seconds: float = 60, start_seconds: float = 60) -> Worker:
    return Worker(command, start_seconds, item_seconds, FAULTS)


def measured(group: str, *, done: set[str] | None = None, **limits: float) -> tuple[Heard, Any]:
    heard = Heard()
    until = monotonic() + limits.pop("seconds", 120)
    arguments = [*MEASURE, "--registry", REGISTRY, "--group", group]
    why = supervise(worker(*arguments, **limits), done or set(), until, heard.listener)
    return heard, why


@pytest.mark.long
def test_a_case_that_hangs_or_dies_or_takes_the_device_along_costs_itself_only() -> None:
    heard, why = measured("faults", item_seconds=2)
    assert why is None
    assert heard.failures == {
        "first": {},
        "out of memory": {"all": "OutOfMemoryError: too much of it"},
        "bad address": {"all": "RuntimeError: an illegal memory access was encountered"},
        "after a bad address": {},
        "hangs": {"all": "stopped after 2 s"},
        "dies": {"all": "ended by SIGABRT"},
        "bad address unseen": {"all": "the device does not answer any more"},
        "last": {},
    }


def test_what_is_done_is_not_done_again() -> None:
    done = {"hangs", "dies", "first", "bad address", "bad address unseen"}
    heard, why = measured("faults", done=done)
    assert why is None
    assert list(heard.failures) == ["out of memory", "after a bad address", "last"]


@pytest.mark.long
def test_when_time_is_over_what_runs_is_stopped_and_left_undone() -> None:
    begin = monotonic()
    heard, why = measured("endless", seconds=8)
    assert why == "no time was left"
    assert 7 < monotonic() - begin < 12
    assert heard.failures == {"first": {}}
    assert heard.events[0] == {"plan": ["first", "hangs"]}
    assert measured("endless", seconds=-1)[1] == "no time was left"


def test_a_worker_that_does_not_start_ends_the_step() -> None:
    heard = Heard()
    until = monotonic() + 60
    sleeping = worker("sleep", "3600", start_seconds=1)
    assert supervise(sleeping, set(), until, heard.listener) == "stopped after 1 s"
    status = worker(sys.executable, "-c", "print('why'); raise SystemExit(3)")
    assert supervise(status, set(), until, heard.listener) == "ended with exit status 3"
    assert heard.lines == ["why"]
    assert heard.events == []


def test_lines_and_events_are_told_apart() -> None:
    program = """
from benchmarks.gpu.telling import *
task = read_task()
assert sorted(task.done) == ["a"] and 0 < task.seconds < 60
print("no end of line", end="")
tell_begin("b"); print("said"); tell_end("b", {"failures": {}}); tell_all_done()
"""
    heard = Heard()
    one = worker(sys.executable, "-c", program)
    assert supervise(one, {"a"}, monotonic() + 60, heard.listener) is None
    assert heard.lines == ["no end of line", "said"]
    assert [next(iter(event)) for event in heard.events] == ["begin", "end", "done"]


def run(out: Path, *given: str) -> tuple[int, dict[str, Any]]:
    arguments = [
        "--device",
        "cpu",
        "--registry",
        REGISTRY,
        "--out",
        str(out),
        *given,
    ]
    status = command.main(arguments)
    return status, json.loads((out / "report.json").read_text())


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", FAULTS["PYTHONPATH"])


@pytest.mark.usefixtures("faults")
@pytest.mark.long
def test_a_step_that_fails_is_in_the_report_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = run(tmp_path, "--steps", "launch,equality,digests,bars")
    assert status == 1
    assert report["complete"]
    found = {name: list(step["items"]) for name, step in report["steps"].items()}
    assert found["equality"] == ["equal"]
    assert found["bars"] == ["one", "two"]
    assert report["steps"]["digests"]["ended"] == "there is nothing to do in it"
    told = "FAILED equal: all: OutOfMemoryError: too much of it"
    assert told in capsys.readouterr().out
    assert told in (tmp_path / "log.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "report.json"]


@pytest.mark.usefixtures("faults")
@pytest.mark.long
def test_a_run_goes_on_from_a_former_report(tmp_path: Path) -> None:
    first = tmp_path / "first"
    run(first, "--steps", "equality,bars")
    former = json.loads((first / "report.json").read_text())
    former["steps"]["bars"]["items"]["one"]["measured"] = "before"
    (first / "report.json").write_text(json.dumps(former))
    resumed = ("--resume", str(first / "report.json"), "--steps", "equality,bars")
    status, report = run(tmp_path / "second", *resumed)
    assert status == 1
    assert report["steps"]["bars"]["items"]["one"]["measured"] == "before"
    assert report["resumed"] == [{name: former[name] for name in ("command", "started", "commit")}]
    # What failed is done again.
    assert report["steps"]["equality"]["items"]["equal"]["failures"]
    assert "-- equal" in (tmp_path / "second" / "log.txt").read_text()
    assert "-- one" not in (tmp_path / "second" / "log.txt").read_text()


@pytest.mark.usefixtures("faults")
def test_a_run_whose_time_is_over_says_what_it_left_out(tmp_path: Path) -> None:
    status, report = run(tmp_path, "--steps", "bars", "--minutes", "1e-6")
    assert status == 1
    assert report["steps"]["bars"]["ended"] == "no time was left"


def test_a_report_is_whole_at_any_time_and_written_at_once_where_something_fails(
    tmp_path: Path,
) -> None:
    report = Report(tmp_path, {"commit": "c"})
    report.hear("bars", {"plan": ["a", "b", "c"]})
    report.hear("bars", {"end": "a", "record": {"seconds": 1}})
    report.hear("bars", {"end": "b", "record": {"failures": {"all": "why"}}})
    written = json.loads((tmp_path / "report.json").read_text())
    assert not written["complete"]
    assert list(written["steps"]["bars"]["items"]) == ["a", "b"]
    report.end("bars", 2.0, "no time was left")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["steps"]["bars"]["left_out"] == ["c"]
    assert report.failures == 2
    assert Report(tmp_path, {}, tmp_path / "report.json").done("bars") == {"a"}


def test_steps_are_ordered_by_worth_and_cuda_comes_first() -> None:
    names = [step.name for step in steps(parse([]))]
    ours = ["build", "launch", "equality", "digests", "bars", "suite"]
    ours += ["memcheck", "racecheck", "synccheck"]
    assert names[: len(ours)] == ours
    assert all(name.startswith("triton ") for name in names[len(ours) :])
    assert {"triton equality", "triton bars", "triton suite"} <= set(names)


def test_steps_name_files_and_formats_that_are_there() -> None:
    assert all((ROOT / test).exists() for test in TESTS)
    from minifloat import FORMATS as ALL

    assert list(FORMATS) == [format.name for format in ALL]


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
    one = worker(*program, str(tests), str(broken), item_seconds=3)
    assert supervise(one, set(), monotonic() + 120, heard.listener) is None
    found = {name.split("::")[-1]: failures for name, failures in heard.failures.items()}
    broken_name = next(name for name in found if "test_broken" in name)
    assert "nothing_of_this_name" in found.pop(broken_name)["import"]
    assert "why" in found["test_two_gpu"].pop("call")
    assert found == {
        "test_one_gpu": {},
        "test_two_gpu": {},
        "test_three_gpu": {},
        "test_five_gpu": {"all": "stopped after 3 s"},
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


def test_kernels_that_do_not_load_are_a_failed_build(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(name: str) -> None:
        raise ImportError(f"no {name}")

    monkeypatch.setattr("benchmarks.gpu.build.importlib.import_module", fails)
    monkeypatch.setattr(build, "build", lambda: None)
    task = io.StringIO()
    write_task(task, Task(frozenset(), 60))
    monkeypatch.setattr(sys, "stdin", io.StringIO(task.getvalue()))
    assert build.main() == 0
    message = "minifloat._cuda does not import (no minifloat._cuda); it is built where nvcc is"
    events = [event_of(line) for line in capsys.readouterr().out.split("\n")]
    (failures,) = (e["record"]["failures"] for e in events if e and "end" in e)
    assert failures == {"all": message}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_the_build_says_so_and_nothing_else_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MINIFLOAT_CUDA_ARCHS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert command.main(["--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "FAILED build: all: torch finds no NVIDIA GPU here" in said
    assert "without the CUDA kernels there is nothing to run" in said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--minutes", "0"], "must be a number above 0; got '0'"),
        (["--minutes", "soon"], "must be a number above 0; got 'soon'"),
        (["--scale", "0"], "must be a whole number, at least 1; got '0'"),
        (["--steps", "bars,all"], "--steps must be of launch, equality, digests, bars, suite"),
        (["--out", "/dev/null/a"], "--out /dev/null/a"),
        (["--resume", "/nowhere.json"], "--resume /nowhere.json"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_allowed(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["--device", "cpu", *(() if "--out" in given else ("--out", str(tmp_path)))]
    with pytest.raises(SystemExit, match="2"):
        command.main([*arguments, *given])
    assert message in capsys.readouterr().err


def test_the_script_names_what_python_lacks_and_the_command_that_gets_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    found = subprocess.run(
        [ROOT / "scripts" / "gpu"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHON": str(bare)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert found.stderr.startswith(f"{bare} lacks: setuptools>=77 pybind11>=3 ")
    assert f"{bare} -m pip install 'setuptools>=77' 'pybind11>=3'" in found.stderr


def sanitized(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Heard:
    program = tmp_path / "compute-sanitizer"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    heard = Heard()
    tool = [sys.executable, "-m", "benchmarks.gpu.sanitizers", "--tool", "memcheck"]
    one = worker(*tool, "--check", "check", "e2m1", "e4m3", item_seconds=2)
    assert supervise(one, set(), monotonic() + 60, heard.listener) is None
    return heard


def test_a_sanitizer_tells_what_it_finds_in_each_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # --tool NAME --error-exitcode 99 --kernel-name kns=minifloat PYTHON -m check cuda FORMAT
    script = 'echo "ERROR SUMMARY: 1 error in $6, ${11}"; test ${11} != e4m3 || exit $4'
    heard = sanitized(tmp_path, script, monkeypatch)
    summary = "ERROR SUMMARY: 1 error in kns=minifloat, e4m3"
    assert heard.failures == {
        "memcheck e2m1": {},
        "memcheck e4m3": {"memcheck": f"exit status 99\n{summary}"},
    }
    assert f"memcheck e4m3: {summary}" in heard.lines


def test_a_sanitizer_that_takes_too_long_is_stopped_and_its_lines_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = sanitized(tmp_path, "echo begun; exec sleep 60", monkeypatch)
    assert heard.failures["memcheck e2m1"] == {"all": "stopped after 2 s"}
    assert "memcheck e2m1: begun" in heard.lines


def test_what_sanitizers_run_calls_every_operator() -> None:
    program = [sys.executable, "-m", "tests.proofs.device_check", "cpu", "e2m1", "e4m3"]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout.splitlines()[-1].split()[0]) > 2 * 11


def test_results_are_a_report_without_paths_and_without_what_passed(tmp_path: Path) -> None:
    passed = {"seconds": 0.1, "failures": {}}
    failed = {"seconds": 0.2, "failures": {"call": "a\nlong\nstory\n"}}
    measured = {"seconds": 1, "minifloat": [{"median_s": 0.1}], "failures": {}, "left_out": {}}
    step: dict[str, Any] = {"seconds": 3.0, "ended": None, "left_out": []}
    facts = {"device": {"name": "NVIDIA H200"}, "versions": {"torch": "2"}}
    report = {
        "complete": True,
        "command": "scripts/gpu --minutes 5 --out /a/b --rounds 3",
        "resumed": [{"command": "scripts/gpu --out=/a", "started": "today", "commit": "1"}],
        "steps": {
            "bars": {**step, "facts": facts, "items": {"search": measured}},
            "suite": {**step, "items": {"one": passed, "two": failed, "three": passed}},
        },
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert results.main([str(tmp_path / "report.json"), "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "nvidia-h200.json").read_text())
    assert found["command"] == "scripts/gpu --minutes 5 --rounds 3"
    assert found["resumed"] == [{"command": "scripts/gpu", "started": "today", "commit": "1"}]
    assert found.items() >= facts.items()
    assert found["steps"]["bars"]["items"] == {
        "search": {"seconds": 1, "minifloat": [{"median_s": 0.1}]}
    }
    assert found["steps"]["suite"]["passed"] == 2
    assert found["steps"]["suite"]["items"] == {
        "two": {"seconds": 0.2, "failures": {"call": "story"}}
    }
