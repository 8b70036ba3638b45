"""Measures cases of one group on a device: the work of one process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from time import monotonic

from benchmarks.gpu.devices import DEVICES
from benchmarks.gpu.progress import told
from benchmarks.gpu.telling import (
    leave,
    read_task,
    tell_all_done,
    tell_begin,
    tell_end,
    tell_facts,
    tell_plan,
)
from benchmarks.harness.case import Case, Outcome, Setting, reason, seconds_left
from benchmarks.harness.device import DeadDeviceError, Device
from benchmarks.harness.machine import versions
from benchmarks.rivals import RIVALS

# Whose versions are told.
_PACKAGES = ("torch", "minifloat", "triton", "flashlib", "numpy")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 once each case is told of, whether it failed or not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", required=True)
    parser.add_argument("--backends", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    begin, task = monotonic(), read_task()
    groups = import_module(options.registry).GROUPS
    cases: dict[str, Case] = {}
    for case in groups[options.group](options.scale):
        # Small scales make some cases the same.
        cases.setdefault(str(case), case)
    names = [name for name in cases if options.only in name and name not in task.done]
    tell_plan(names)
    device = DEVICES[options.device]()
    software = {**versions(_PACKAGES), **device.software}
    tell_facts({"device": device.facts, "versions": software})
    backends = tuple(options.backends.split(","))
    setting = Setting(device, options.rounds, backends, RIVALS)
    _measure([cases[name] for name in names], setting, begin + task.seconds)
    tell_all_done()
    return 0


def _measure(cases: Sequence[Case], setting: Setting, until: float) -> None:
    """Tell the outcome of each case, each of which has an equal share of the time that is left."""
    for number, case in enumerate(cases):
        begin = monotonic()
        tell_begin(str(case))
        outcome = _outcome(case, setting, begin + seconds_left(until) / (len(cases) - number))
        record = {
            "op": case.op,
            **case.inputs,
            "seconds": round(monotonic() - begin, 3),
            **outcome.found,
            "failures": outcome.failures,
            "left_out": outcome.left_out,
        }
        for line in told(record):
            print(f"   {line}", flush=True)
        is_alive = _is_alive(setting.device)
        if not is_alive and not outcome.failures:
            outcome.failures["all"] = "the device does not answer any more"
        tell_end(str(case), record)
        if not is_alive:
            leave()


def _outcome(case: Case, setting: Setting, until: float) -> Outcome:
    try:
        return case.measure(setting, until)
    except DeadDeviceError as error:
        return Outcome(failures={"all": str(error)})
    except Exception as error:
        return Outcome(failures={"all": reason(error)})


def _is_alive(device: Device) -> bool:
    try:
        device.recover("")
    except DeadDeviceError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
