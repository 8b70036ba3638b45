"""The record of a call: one JSON line that stands on its own."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.harness.calls import CallCase
from benchmarks.harness.machine import processor, versions
from benchmarks.harness.rival import package
from minifloat import _C
from minifloat.backends import serving

# What a record says of a contender's time and of its answer, where that is approximate.
_FIGURES = ("median_s", "quartiles_s", "recall")


def line(case: CallCase, found: Mapping[str, Any], command: str) -> str:
    """Return what a case has found as a line of JSON."""
    (ours,) = found["minifloat"]
    rates = [limit["gb_per_s"] for limit in found["limits"].values() if "gb_per_s" in limit]
    fields = {
        "op": case.op,
        **case.inputs,
        "shape": case.shape,
        "backend": serving("CPU").module,
        "isa": _C.isa(),
        "threads": torch.get_num_threads(),
        "repeats": found["rounds"],
        **_figures(ours),
        "bytes": ours["bytes"],
        "gb_per_s": ours["gb_per_s"],
        case.unit: ours[case.unit],
        f"{case.bound}_gb_per_s": max(rates, default=None),
        f"share_of_{case.bound}": ours.get(f"share_of_{case.bound}"),
        "share_of_multiply": ours.get("share_of_multiply"),
        "rivals": {
            name: {**_figures(rival), "ratio": ours["ratios"][name]}
            for name, rival in found["rivals"].items()
        },
        "command": command,
        "machine": {"cpu": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": versions(("minifloat", "numpy", "torch", *map(package, found["rivals"]))),
    }
    return json.dumps(fields)


def _figures(contender: Mapping[str, Any]) -> dict[str, Any]:
    return {name: contender[name] for name in _FIGURES if name in contender}
