"""The run on a machine with a GPU: its steps, and what becomes of it where they fail."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import build
from benchmarks.gpu.options import parse
from benchmarks.gpu.steps import FORMATS, steps
from benchmarks.gpu.telling import Task, event_of, write_task
from tests.benchmarks.gpu.heard import FAULTS, REGISTRY
from tests.support.paths import ROOT


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


def test_steps_are_ordered_by_worth_and_cuda_comes_first() -> None:
    names = [step.name for step in steps(parse([]))]
    ours = ["build", "launch", "equality", "digests", "bars", "suite"]
    ours += ["memcheck", "racecheck", "synccheck"]
    assert names[: len(ours)] == ours
    assert all(name.startswith("triton ") for name in names[len(ours) :])
    assert {"triton equality", "triton bars", "triton suite"} <= set(names)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_ways_come_after_the_bars_where_they_are_asked_for(device: str) -> None:
    without = [step.name for step in steps(parse(["--device", device]))]
    asked = steps(parse(["--device", device, "--variants"]))
    place = without.index("bars") + 1
    assert [step.name for step in asked] == [*without[:place], "ways", *without[place:]]
    (worker,) = asked[place].workers
    assert "--backends cuda --group ways" in " ".join(worker.command)


def test_steps_name_all_formats() -> None:
    assert list(FORMATS) == [format.name for format in mf.FORMATS]


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
