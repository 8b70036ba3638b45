"""Runs behaviour tests by pytest and tells of each: the work of one process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import pytest

from benchmarks.gpu.telling import (
    leave,
    read_task,
    tell_all_done,
    tell_begin,
    tell_end,
    tell_plan,
)

# Characters of a failure that are kept, from its end, where the error is.
_LONGEST = 2000
# What pytest ends with when it has done all that it was asked for.
_ENDINGS = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
    # Where a file cannot be imported, which has been told of.
    pytest.ExitCode.INTERRUPTED,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 once each test is told of, whether it failed or not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--choice", required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args(arguments)
    # In this process, in order, and with no report but what is told of each.
    command = [*options.files, "-k", options.choice, "-s", "--continue-on-collection-errors"]
    command += ["-o", "addopts=", *(f"-pno:{name}" for name in ("terminal", "cacheprovider"))]
    teller = Teller(read_task().done, device_lives)
    status = pytest.ExitCode(pytest.main(command, plugins=[teller]))
    if status not in _ENDINGS:
        return int(status)
    tell_all_done()
    return 0


def device_lives() -> bool:
    """Return whether the GPU still answers, once all that it was given is done."""
    import torch

    try:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except RuntimeError:
        return False
    return True


class Teller:
    """A plugin of pytest: tests that are done are left out, the others are told of one by one."""

    def __init__(self, done: frozenset[str], is_alive: Callable[[], bool]) -> None:
        self._done, self._is_alive = done, is_alive
        self._seconds, self._skipped, self._failures = 0.0, "", dict[str, str]()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what is not done."""
        items[:] = [item for item in items if item.nodeid not in self._done]
        tell_plan([item.nodeid for item in items])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a file that cannot be imported."""
        if report.failed:
            failures = {"import": report.longreprtext[-_LONGEST:]}
            tell_end(f"import of {report.nodeid}", {"failures": failures})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell that a test begins."""
        self._seconds, self._skipped, self._failures = 0.0, "", {}
        tell_begin(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a part of a test came to."""
        self._seconds += report.duration
        if report.failed:
            self._failures[report.when or "call"] = report.longreprtext[-_LONGEST:]
        elif report.skipped and isinstance(report.longrepr, tuple):
            self._skipped = report.longrepr[2]

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell what a test came to, and leave where it took the device with it."""
        is_alive = self._is_alive()
        if not is_alive:
            self._failures["device"] = "the device does not answer any more"
        record = {"seconds": round(self._seconds, 3), "failures": self._failures}
        if self._skipped:
            record["skipped"] = self._skipped
        told = "FAILED" if self._failures else "skipped" if self._skipped else "passed"
        print(f"{told} {nodeid} {self._seconds:.2f} s", flush=True)
        tell_end(nodeid, record)
        if not is_alive:
            leave()


if __name__ == "__main__":
    sys.exit(main())
