"""Compute-sanitizer as a step of a run."""

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from benchmarks.gpu.supervisor import supervise
from tests.benchmarks.gpu.heard import Heard, worker
from tests.support.paths import ROOT


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
