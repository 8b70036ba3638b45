"""The steps of a run, what matters most first, and the workers that do them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu.options import Options
from benchmarks.gpu.sanitizers import TOOLS
from benchmarks.gpu.supervisor import Worker
from benchmarks.gpu.verdicts import STEP as WAYS

_ROOT = Path(__file__).parents[2]
# From the table itself, for minifloat is built by the first step.
_TABLE = _ROOT / "csrc" / "format" / "format.h"
FORMATS = tuple(re.findall(r'NamedFormat\{"(\w+)"', _TABLE.read_text()))
# What behaviour tests that run on GPUs too begin with: they are found by it, whatever their names.
MARK = re.compile(r"^pytestmark = .*\bpytest\.mark\.gpu\b", re.MULTILINE)
# What importing torch and starting the GPU may take.
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Step:
    """Workers that go on at once, and the seconds that they may take of a run of nine minutes."""

    name: str
    workers: Sequence[Worker]
    seconds: float


def steps(options: Options) -> list[Step]:
    """Return the steps of a device: all of CUDA, then Triton, whose kernels compile as they run."""
    ways = [_measurement(options, "", WAYS, "cuda", 150, 30.0)] if options.variants else []
    if options.device == "cpu":
        return [*_measurements(options, "", "cpu"), *ways, _suite("suite", "eager", 60)]
    return [
        Step("build", [_worker("build", item_seconds=120)], 120),
        *_measurements(options, "", "cuda"),
        *ways,
        _suite("suite", "cuda and not triton", 100),
        *(_sanitizer(tool) for tool in TOOLS),
        *_measurements(options, "triton ", "triton"),
        _suite("triton suite", "triton", 150),
    ]


def gpu_tests() -> list[str]:
    """Return the files of tests that have the mark, which are read and not imported."""
    files = sorted((_ROOT / "tests").rglob("test_*.py"))
    marked = [str(file.relative_to(_ROOT)) for file in files if MARK.search(file.read_text())]
    if not marked:
        raise FileNotFoundError(f"no test in {_ROOT / 'tests'} has the mark {MARK.pattern!r}")
    return marked


def _measurements(options: Options, prefix: str, backend: str) -> list[Step]:
    # A kernel that never returns costs so many seconds; those of Triton are compiled meanwhile.
    item = 45.0 if prefix else 30.0
    return [
        _measurement(options, prefix, "launch", backend, 40, item),
        _measurement(options, prefix, "equality", backend, 60, item),
        # All at once, for most of the time is the CPU's, which adds them up.
        _measurement(
            options, prefix, "digests", backend, 60, 2 * item, [f"format {f}," for f in FORMATS]
        ),
        _measurement(options, prefix, "bars", backend, 180, 2 * item, [options.only]),
    ]


def _measurement(
    options: Options,
    prefix: str,
    group: str,
    backend: str,
    seconds: float,
    item: float,
    shares: Sequence[str] = ("",),
) -> Step:
    """Return a step whose workers have the cases with these words in their names."""
    arguments = ["--device", options.device, "--backends", backend, "--group", group]
    arguments += ["--registry", options.registry, "--scale", str(options.scale)]
    arguments += ["--rounds", str(options.rounds)]
    workers = [_worker("measure", *arguments, "--only", only, item_seconds=item) for only in shares]
    return Step(prefix + group, workers, seconds)


def _suite(name: str, choice: str, seconds: float) -> Step:
    # Files at once, for most of a test is the CPU's.
    workers = [_worker("suite", "--choice", choice, test, item_seconds=45) for test in gpu_tests()]
    return Step(name, workers, seconds)


def _sanitizer(tool: str) -> Step:
    workers = [_worker("sanitizers", "--tool", tool, f, item_seconds=100) for f in FORMATS]
    return Step(tool, workers, 100)


def _worker(module: str, *arguments: str, item_seconds: float) -> Worker:
    command = [sys.executable, "-m", f"benchmarks.gpu.{module}", *arguments]
    return Worker(command, _START_SECONDS, item_seconds, {})
