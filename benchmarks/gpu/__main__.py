"""The command line: python -m benchmarks.gpu ..."""

from __future__ import annotations

import faulthandler
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

import torch

from benchmarks.gpu import registry
from benchmarks.gpu.cases import Case, Outcome, Setting, reason, seconds_left
from benchmarks.gpu.devices import DEVICES, Device
from benchmarks.gpu.machine import commit, versions
from benchmarks.gpu.options import PROGRAM, RESULTS, make_parser
from benchmarks.gpu.progress import told
from benchmarks.gpu.report import Report, file_name
from benchmarks.gpu.sanitizers import run_sanitizers
from benchmarks.gpu.suite import run_suite
from minifloat.backends import BACKENDS

# A stream of Python's may have been put in its place.
_STDERR = 2
# How long the last case may take beyond the end before all is stopped.
_GRACE_SECONDS = 60
# The share of the time at which sanitizers begin.
_MEASURED = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 where something failed, 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser()
    options = parser.parse_args(given)
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no GPU here; --device cpu tries the flow without one")
    chosen = [case for case in registry.cases(options.scale) if options.only in str(case)]
    if not chosen:
        parser.error(f"--only must be in the name of a case; got {options.only!r}")
    start, seconds = monotonic(), 60 * options.minutes
    device = DEVICES[options.device]()
    backends = options.backend or backends_of(device)
    for backend in backends:
        if find_spec(f"minifloat.backends.{backend}") is None:
            parser.error(f"--backend must name backends; got {backend!r}")
    path: Path = options.out or RESULTS / file_name(str(device.facts["name"]))
    about = {
        "command": shlex.join([*PROGRAM.split(), *given]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit() or options.commit,
        "device": device.facts,
        "versions": versions(device),
        "processor_cores": os.cpu_count(),
        "scale": options.scale,
        "backends": backends,
    }
    try:
        report = Report(path, about)
    except OSError as error:
        parser.error(f"--out {path}: {error.strerror}")
    # A kernel that hangs ends the run: what was measured is in the file.
    faulthandler.dump_traceback_later(seconds + _GRACE_SECONDS, exit=True, file=_STDERR)
    try:
        if options.suite:
            print("== running the tests", flush=True)
            report.put_suite(run_suite(seconds / 3))
        setting = Setting(device, backends, options.rounds)
        checked = options.suite and "cuda" in backends
        _measure(chosen, setting, start, seconds * (_MEASURED if checked else 1), report)
        if checked:
            print("== running compute-sanitizer", flush=True)
            report.put_sanitizers(run_sanitizers(start + seconds - monotonic()))
    finally:
        faulthandler.cancel_dump_traceback_later()
    report.complete()
    print(f"== {monotonic() - start:.0f} s, {report.failures} failed: {path}")
    return 1 if report.failures else 0


def backends_of(device: Device) -> tuple[str, ...]:
    """Return the backends that can serve a device, torch's choice first."""
    served = [BACKENDS[device.torch.type.upper()]]
    if device.torch.type == "cuda" and find_spec("triton"):
        served.append("triton")
    return tuple(dict.fromkeys(served))


def _measure(
    chosen: Sequence[Case], setting: Setting, start: float, seconds: float, report: Report
) -> None:
    """Put the outcome of each case into the report; what is late gets fewer rounds, then none."""
    until = start + seconds
    told_before: set[str] = set()
    for number, case in enumerate(chosen):
        begin, left = monotonic(), seconds_left(until)
        print(f"== {begin - start:.0f} s of {seconds:.0f}, {number + 1} of {len(chosen)}: {case}")
        if left <= 0:
            failures = {"all": f"no time was left of {seconds:.0f} s"}
            report.put_case(case, Outcome(failures=failures), 0.0)
            continue
        try:
            outcome = case.measure(setting, begin + left / (len(chosen) - number))
        except Exception as error:
            outcome = Outcome(failures={"all": reason(error)})
            setting.device.recover()
        report.put_case(case, outcome, monotonic() - begin)
        for line in told(outcome):
            # What is left out is so in most cases.
            if line not in told_before:
                print(f"   {line}", flush=True)
        told_before.update(told(outcome))


if __name__ == "__main__":
    sys.exit(main())
