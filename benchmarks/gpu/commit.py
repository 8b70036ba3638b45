"""Which commit a run is of, and what other commands say in a line."""

from __future__ import annotations

import shutil
import subprocess


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
