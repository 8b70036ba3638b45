"""Which software a run is of: versions and the driver."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from benchmarks.gpu.commit import said
from benchmarks.gpu.devices import Device

_PACKAGES = ("minifloat", "triton", "flashlib", "numpy")


def versions(device: Device) -> dict[str, str | None]:
    """Return versions by name, None for what is not there."""
    of_gpu = device.torch.type == "cuda"
    return {
        "python": platform.python_version(),
        # With what it was built for, which its package does not say.
        "torch": str(torch.__version__),
        **{name: _version(name) for name in _PACKAGES},
        "cuda": torch.version.cuda if of_gpu else None,
        "driver": said(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
        if of_gpu
        else None,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
