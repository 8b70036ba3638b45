"""NVIDIA's compute-sanitizer over every CUDA kernel: bad addresses, races, wrong barriers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

TOOLS = ("memcheck", "racecheck", "synccheck")
CHECK = (sys.executable, "tests/device_check.py")
# What the tool's status is where it has found something.
_FOUND = 99
_LINES = 20


def run_sanitizers(seconds: float, check: Sequence[str] = CHECK) -> list[dict[str, Any]]:
    """Return for each tool what it found: `failure` says what is wrong, or is None.

    Where compute-sanitizer is not installed, nothing fails, and `left_out` says so.
    """
    folders = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    program = shutil.which("compute-sanitizer", path=folders)
    if program is None:
        reason = "compute-sanitizer, which comes with CUDA, is not on the PATH"
        return [{"tool": tool, "left_out": reason, "failure": None} for tool in TOOLS]
    end = monotonic() + seconds
    return [
        _run(program, tool, check, (end - monotonic()) / (len(TOOLS) - i))
        for i, tool in enumerate(TOOLS)
    ]


def _run(program: str, tool: str, check: Sequence[str], seconds: float) -> dict[str, Any]:
    start = monotonic()
    command = [program, "--tool", tool, "--error-exitcode", str(_FOUND), *check]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=max(seconds, 1.0),
        )
    except subprocess.TimeoutExpired:
        return {"tool": tool, "failure": f"stopped after {max(seconds, 1.0):.0f} s"}
    failure = None
    if done.returncode:
        failure = "\n".join([f"exit status {done.returncode}", *done.stdout.splitlines()[-_LINES:]])
    found = re.search(r"(?:ERROR|RACECHECK) SUMMARY: .+", done.stdout)
    return {
        "tool": tool,
        "seconds": round(monotonic() - start, 1),
        "summary": found[0] if found else None,
        "failure": failure,
    }
