"""Runs one tool of compute-sanitizer over the CUDA kernels of formats: the work of one process."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from benchmarks.gpu.telling import read_task, tell_all_done, tell_begin, tell_end, tell_plan

# What matters most comes first.
TOOLS = ("memcheck", "racecheck", "synccheck")
CHECK = "tests.proofs.device_check"
# The tool's status where it has found something.
_FOUND = 99
_LINES = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 once each format is told of, whatever was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", required=True, choices=TOOLS)
    parser.add_argument("--check", default=CHECK)
    parser.add_argument("formats", nargs="+")
    options = parser.parse_args(arguments)
    done = read_task().done
    left = {f"{options.tool} {format}": format for format in options.formats}
    left = {item: format for item, format in left.items() if item not in done}
    tell_plan(list(left))
    program = find()
    for item, format in left.items():
        tell_begin(item)
        tell_end(item, _run(program, options.tool, ["-m", options.check, "cuda", format]))
    tell_all_done()
    return 0


def find() -> str | None:
    """Return where compute-sanitizer is, or None."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    return shutil.which("compute-sanitizer", path=folders)


def _run(program: str | None, tool: str, check: Sequence[str]) -> dict[str, Any]:
    if program is None:
        reason = "compute-sanitizer, which comes with CUDA, is not on the PATH"
        return {"left_out": {tool: reason}}
    begin = monotonic()
    command = [program, "--tool", tool, "--error-exitcode", str(_FOUND)]
    # Torch's own kernels are its own affair, and take most of the time.
    command += ["--kernel-name", "kns=minifloat", sys.executable, *check]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        print(f"{tool} {check[-1]}: {line}", end="", flush=True)
        lines.append(line.rstrip())
    status = process.wait()
    found = re.search(r"(?:ERROR|RACECHECK) SUMMARY: .+", "\n".join(lines))
    failures = {}
    if status:
        failures[tool] = "\n".join([f"exit status {status}", *lines[-_LINES:]])
    return {
        "seconds": round(monotonic() - begin, 1),
        "summary": found[0] if found else None,
        "failures": failures,
    }


if __name__ == "__main__":
    sys.exit(main())
