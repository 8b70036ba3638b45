"""The behaviour tests on a GPU's backends, run by pytest in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any
from xml.etree import ElementTree

TESTS = tuple(
    f"tests/test_{name}.py"
    for name in ("gpu", "codec", "packing", "scores", "search", "operators", "vectors")
)
CHOICE = "triton or cuda or gpu"
_NEEDED = ("pytest", "hypothesis", "ml_dtypes", "gfloat")
_MOST_PROCESSES = 12
_MOST_NAMES = 20
# Pytest's exit status where nothing was chosen.
_NO_TESTS = 5


def run_suite(seconds: float, tests: Sequence[str] = TESTS, choice: str = CHOICE) -> dict[str, Any]:
    """Return how many tests passed, failed, ended in error and were skipped, and in what time.

    `failure` says what is wrong, or is None; `missing` names packages that the tests need.
    """
    start = monotonic()
    missing = [name for name in _NEEDED if find_spec(name) is None]
    found = [test for test in tests if Path(test).exists()]
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", "-q", *found, "-k", choice]
        command += ["--continue-on-collection-errors", "-p", "no:cacheprovider"]
        command += [f"--junitxml={junit}"]
        if find_spec("xdist"):
            command += ["-n", str(min(_MOST_PROCESSES, os.cpu_count() or 1))]
        status = _status(command, seconds) if found else _NO_TESTS
        counts = _counts(junit)
    return {
        **counts,
        "seconds": round(monotonic() - start, 1),
        "choice": choice,
        "files": found,
        "absent_files": [test for test in tests if test not in found],
        "missing": missing,
        "failure": _failure(status, seconds, missing),
    }


def _status(command: list[str], seconds: float) -> int | None:
    """Return pytest's exit status, or None where it took too long."""
    # Its workers end with it.
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            return process.wait(max(seconds, 1.0))
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None


def _counts(junit: Path) -> dict[str, Any]:
    """Return counts, and the names of the first tests that failed."""
    if not junit.exists():
        return {}
    root = ElementTree.parse(junit).getroot()
    failed, errors, skipped = (list(root.iter(name)) for name in ("failure", "error", "skipped"))
    tests = list(root.iter("testcase"))
    names = [
        f"{test.get('classname')}.{test.get('name')}"
        for test in tests
        if test.find("failure") is not None or test.find("error") is not None
    ]
    return {
        "passed": len(tests) - len(names) - len(skipped),
        "failed": len(failed),
        "errors": len(errors),
        "skipped": len(skipped),
        "first_failed": names[:_MOST_NAMES],
    }


def _failure(status: int | None, seconds: float, missing: list[str]) -> str | None:
    needs = f"; missing: {', '.join(missing)} (pip install {' '.join(missing)})" if missing else ""
    if status is None:
        return f"stopped after {seconds:.0f} s{needs}"
    if status == _NO_TESTS:
        return f"no test ran{needs}"
    return f"pytest's exit status is {status}{needs}" if status else None
