"""Which software a run is of: versions, the driver and the commit."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

import torch

from benchmarks.gpu.devices import Device

_PACKAGES = ("minifloat", "torch", "triton", "flashlib", "numpy")


def versions(device: Device) -> dict[str, str | None]:
    """Return versions by name, None for what is not there."""
    of_gpu = device.torch.type == "cuda"
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "cuda": torch.version.cuda if of_gpu else None,
        "driver": _said(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
        if of_gpu
        else None,
    }


def commit() -> str | None:
    """Return the commit, with "-dirty" after it where files differ; None outside a checkout."""
    return _said(["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _said(command: list[str]) -> str | None:
    """Return the first line that a command prints; None where it fails or is not there."""
    if shutil.which(command[0]) is None:
        return None
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = run.stdout.split("\n")
    return lines[0].strip() or None if run.returncode == 0 else None
