"""The record of what was measured: one JSON file, with a part for each command."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.machine import processor, versions
from benchmarks.scale.figures import RECORD
from minifloat import _C

PROGRAM = "scripts/scale"


def machine() -> dict[str, Any]:
    """Return the machine, by name, and its software."""
    return {
        "cpu": f"{processor()}{_model()}",
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "isa": _C.isa(),
        "versions": versions(("minifloat", "numpy", "torch")),
    }


def written(
    part: str, found: dict[str, Any], arguments: Sequence[str], path: Path = RECORD
) -> None:
    """Put what a command has found into the record, in place of what it had of it."""
    all_parts = read(path) if path.exists() else {}
    command = shlex.join([PROGRAM, *arguments])
    all_parts[part] = machine() | found | {"command": command}
    path.write_text(json.dumps(dict(sorted(all_parts.items())), indent=1) + "\n")


def read(path: Path = RECORD) -> dict[str, Any]:
    """Return the parts of the record."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _model() -> str:
    """Return by which numbers Linux knows the processor; some have a name that says little."""
    facts = Path("/proc/cpuinfo")
    text = facts.read_text() if facts.exists() else ""
    found = re.search(r"^cpu family\s*: (\d+)\nmodel\s*: (\d+)$", text, re.MULTILINE)
    return f" (family {found[1]}, model {found[2]})" if found else ""
