"""The measurement of a case, and its record: one JSON line that stands on its own."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from benchmarks.cases import Case, Rival, package
from benchmarks.timing import Timing, time_in_turn
from minifloat import _C


@dataclass(frozen=True)
class Outcome:
    """What a contender took, and its recall where its answer is approximate."""

    time: Timing
    recall: float | None

    def fields(self) -> dict[str, object]:
        """Return what a record says of it."""
        recall = {} if self.recall is None else {"recall": self.recall}
        return {**asdict(self.time), **recall}


@dataclass(frozen=True)
class Result:
    """What one case took, what the machine's limit took, if measured, and what rivals took."""

    case: Case
    repeats: int
    bytes: int
    ours: Outcome
    limit: Timing | None
    multiply: Timing | None
    rivals: Mapping[str, Outcome]

    @property
    def seconds(self) -> float:
        """Our median."""
        return self.ours.time.median_s

    @property
    def share_of_limit(self) -> float | None:
        """The limit's time over ours."""
        return self.limit.median_s / self.seconds if self.limit else None

    @property
    def share_of_multiply(self) -> float | None:
        """The time of as many products in registers over ours, where ours are products."""
        return self.multiply.median_s / self.seconds if self.multiply else None

    @property
    def ratios(self) -> dict[str, float]:
        """Each rival's time over ours."""
        return {name: rival.time.median_s / self.seconds for name, rival in self.rivals.items()}

    def line(self, command: str) -> str:
        """Return the record as a line of JSON."""
        case, ratios = self.case, self.ratios
        limit_speed = self.bytes / self.limit.median_s / 1e9 if self.limit else None
        fields = {
            "op": case.op.name,
            "format": case.format.name,
            "source": case.source,
            **case.inputs,
            "shape": case.shape,
            "backend": "cpu",
            "isa": _C.isa(),
            "threads": torch.get_num_threads(),
            "repeats": self.repeats,
            **self.ours.fields(),
            "bytes": self.bytes,
            "gb_per_s": self.bytes / self.seconds / 1e9,
            f"{case.unit}_per_s": case.amount / self.seconds,
            f"{case.limit}_gb_per_s": limit_speed,
            f"share_of_{case.limit}": self.share_of_limit,
            "share_of_multiply": self.share_of_multiply,
            "rivals": {
                name: {**rival.fields(), "ratio": ratios[name]}
                for name, rival in self.rivals.items()
            },
            "command": command,
            "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform()},
            "versions": versions(map(package, self.rivals)),
        }
        return json.dumps(fields)


def measure(case: Case, rivals: Sequence[Rival[Any]], repeats: int) -> Result:
    """Return the result of a case; the rivals' answers are checked before any time is taken."""
    work = case.prepare(rivals)
    others = {name: rival.run for name, rival in work.rivals.items()}
    multiply = {"multiply": work.multiply} if work.multiply else {}
    ours = {"minifloat": work.ours.run}
    times = time_in_turn({**ours, **work.limits, **multiply, **others}, repeats)
    return Result(
        case,
        repeats,
        work.bytes,
        Outcome(times["minifloat"], work.ours.recall),
        min((times[name] for name in work.limits), key=lambda time: time.median_s, default=None),
        times.get("multiply"),
        {name: Outcome(times[name], rival.recall) for name, rival in work.rivals.items()},
    )


@cache
def _cpu() -> str:
    """Return the model of the processor."""
    facts = Path("/proc/cpuinfo")
    for line in facts.read_text().splitlines() if facts.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def versions(others: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python, of what minifloat needs, and of other packages."""
    modules = ("minifloat", "numpy", "torch", *others)
    return {"python": platform.python_version()} | {
        name: import_module(name).__version__ for name in modules
    }
