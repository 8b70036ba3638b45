"""Builds minifloat in place for the GPU that is here, and sees that the CUDA kernels load."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from time import monotonic

from benchmarks.gpu.telling import read_task, tell_all_done, tell_begin, tell_end, tell_plan

ITEM = "build"


def main() -> int:
    """Return 0; what went wrong is told."""
    if ITEM not in read_task().done:
        tell_plan([ITEM])
        tell_begin(ITEM)
        begin = monotonic()
        failure = build() or load()
        failures = {} if failure is None else {"all": failure}
        tell_end(ITEM, {"seconds": round(monotonic() - begin, 1), "failures": failures})
    tell_all_done()
    return 0


def architecture() -> str | None:
    """Return the name that nvcc has for the GPU that is here, None where torch finds none."""
    import torch

    if not torch.cuda.is_available() or torch.version.hip is not None:
        return None
    major, minor = torch.cuda.get_device_capability()
    return f"{major}{minor}" + ("a" if major >= 9 else "")


def build() -> str | None:
    """Build for one architecture; return what is wrong, if anything is."""
    found = os.environ.get("MINIFLOAT_CUDA_ARCHS") or architecture()
    if found is None:
        return "torch finds no NVIDIA GPU here"
    # Both extensions at once, and in no environment, so that only what has changed is compiled.
    command = [sys.executable, "setup.py", "--quiet", "egg_info", "build_ext", "--inplace"]
    command += ["--parallel", "2"]
    environment = {**os.environ, "MINIFLOAT_CUDA": "1", "MINIFLOAT_CUDA_ARCHS": found}
    status = subprocess.run(command, env=environment, check=False).returncode
    return f"setup.py ended with exit status {status}; the log says why" if status else None


def load() -> str | None:
    """Import the CUDA kernels; return what is wrong, if anything is."""
    try:
        importlib.import_module("minifloat._cuda")
    except ImportError as error:
        return f"minifloat._cuda does not import ({error}); it is built where nvcc is"
    return None


if __name__ == "__main__":
    sys.exit(main())
