"""What a worker said, and workers that are tried on a CPU."""

import sys
from time import monotonic
from typing import Any

from benchmarks.gpu.supervisor import Listener, Worker, supervise
from tests.support.paths import ROOT

MEASURE = [sys.executable, "-m", "benchmarks.gpu.measure", "--device", "cpu", "--backends", "cpu"]
REGISTRY = "tests.benchmarks.gpu.faults"
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
