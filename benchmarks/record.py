"""The measurement of a case, and its record: one JSON line that stands on its own."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.cases import Case, Job, make_input
from benchmarks.limits import copies
from benchmarks.rivals import Rival, checked_runs
from benchmarks.timing import Timing, time_in_turn
from minifloat import _C


@dataclass(frozen=True)
class Result:
    """What one case took, what the copy of its bytes took, if measured, and what rivals took."""

    case: Case
    repeats: int
    bytes: int
    ours: Timing
    copy: Timing | None
    rivals: Mapping[str, Timing]

    @property
    def share_of_copy(self) -> float | None:
        """The copy's time over ours."""
        return self.copy.median_s / self.ours.median_s if self.copy else None

    @property
    def ratios(self) -> dict[str, float]:
        """Each rival's time over ours."""
        return {name: time.median_s / self.ours.median_s for name, time in self.rivals.items()}

    def line(self, command: str) -> str:
        """Return the record as a line of JSON."""
        case, seconds, ratios = self.case, self.ours.median_s, self.ratios
        fields = {
            "op": case.op.name,
            "format": case.format.name,
            "source": case.source,
            "values": case.values,
            "shape": case.shape,
            "scope": case.scope,
            "backend": "cpu",
            "isa": _C.isa(),
            "threads": torch.get_num_threads(),
            "repeats": self.repeats,
            **asdict(self.ours),
            "bytes": self.bytes,
            "gb_per_s": self.bytes / seconds / 1e9,
            "values_per_s": case.values / seconds,
            "copy_gb_per_s": self.bytes / self.copy.median_s / 1e9 if self.copy else None,
            "share_of_copy": self.share_of_copy,
            "rivals": {
                name: {**asdict(time), "ratio": ratios[name]} for name, time in self.rivals.items()
            },
            "command": command,
            "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform()},
            "versions": {"python": platform.python_version()}
            | {name: _version(name) for name in ("minifloat", "numpy", "torch", *self.rivals)},
        }
        return json.dumps(fields)


def measure(case: Case, rivals: tuple[Rival, ...], repeats: int) -> Result:
    """Return the result of a case; the rivals' answers are checked before any time is taken."""
    x = make_input(case)
    # The public call tells what comes out; a clone of that is memory in use.
    expected = case.op.call(Job(case, x, out=x))()
    assert isinstance(expected, torch.Tensor)
    job = Job(case, x, expected.clone())
    runs = checked_runs(rivals, job, expected)
    bytes_moved = x.nbytes + expected.nbytes
    del expected

    ours = case.op.call(job) if job.allocates else case.op.kernel(job)
    limits = copies(bytes_moved)
    times = time_in_turn({"minifloat": ours, **limits, **runs}, repeats)
    copy = min((times[name] for name in limits), key=lambda time: time.median_s, default=None)
    others = {name: times[name] for name in runs}
    return Result(case, repeats, bytes_moved, times["minifloat"], copy, others)


@cache
def _cpu() -> str:
    """Return the model of the processor."""
    facts = Path("/proc/cpuinfo")
    for line in facts.read_text().splitlines() if facts.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _version(module: str) -> str:
    version: str = import_module(module).__version__
    return version
