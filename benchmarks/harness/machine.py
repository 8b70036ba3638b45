"""The machine of a measurement, and its software: imports nothing but the standard library."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def processor() -> str:
    """Return the model of the processor."""
    facts = Path("/proc/cpuinfo")
    for line in facts.read_text().splitlines() if facts.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def versions(modules: Iterable[str]) -> dict[str, str | None]:
    """Return the versions of Python and of packages by their modules' names, None where absent."""
    return {"python": platform.python_version()} | {name: _version(name) for name in modules}


def _version(module: str) -> str | None:
    """Return what a module that is imported says, else what its package says."""
    found = getattr(sys.modules.get(module), "__version__", None)
    if found is not None:
        # Torch says with what it was built for, which its package does not.
        return str(found)
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        packages = _packages().get(module, ())
        return metadata.version(packages[0]) if packages else None


@cache
def _packages() -> Mapping[str, Sequence[str]]:
    """Return the packages that bring each module, for some are not called as it is."""
    return metadata.packages_distributions()


def commit() -> str | None:
    """Return the commit, with "-dirty" after it where files differ; None outside a checkout."""
    return said(["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])


def said(command: list[str]) -> str | None:
    """Return the first line that a command prints; None where it fails or is not there."""
    if shutil.which(command[0]) is None:
        return None
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = run.stdout.split("\n")
    return lines[0].strip() or None if run.returncode == 0 else None
