"""What setup.py builds, by what is there and what is asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

# Runs setup.py up to what it would build.
PROGRAM = """
import json, os, runpy, shutil, setuptools
told, which = {}, shutil.which
shutil.which = lambda name, **on: None if name == os.environ.get("WITHOUT") else which(name, **on)
setuptools.setup = lambda **given: told.update(names=[e.name for e in given["ext_modules"]])
found = runpy.run_path("setup.py")
print(json.dumps({**told, "warnings": found["NVCC_WARNINGS"], "targets": found["targets"]()}))
"""

NVCC = """#!/bin/sh
echo '#$ LIBRARIES= "-L/somewhere"' >&2
"""
GPU = "#!/bin/sh\nexit 0\n"
NO_GPU = "#!/bin/sh\nexit 9\n"


def run(
    folder: Path, programs: dict[str, str], **variables: str
) -> subprocess.CompletedProcess[str]:
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    # A folder that has no nvcc stands before any that has.
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        **variables,
    }
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def built(folder: Path, programs: dict[str, str], **variables: str) -> dict[str, Any]:
    done = run(folder, programs, **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


BOTH = ["minifloat._C", "minifloat._cuda"]


@pytest.mark.parametrize(
    ("smi", "variables", "names"),
    [
        (None, {}, BOTH[:1]),
        (NO_GPU, {}, BOTH[:1]),
        (GPU, {}, BOTH),
        (None, {"MINIFLOAT_CUDA": "1"}, BOTH),
        (GPU, {"MINIFLOAT_CUDA": "0"}, BOTH[:1]),
    ],
)
def test_cuda_kernels_are_built_where_there_is_a_gpu_or_they_are_asked_for(
    smi: str | None, variables: dict[str, str], names: list[str], tmp_path: Path
) -> None:
    programs = {"nvcc": NVCC, **({"nvidia-smi": smi} if smi else {})}
    assert built(tmp_path, programs, **variables)["names"] == names


def test_warnings_are_errors_in_continuous_integration_only(tmp_path: Path) -> None:
    assert "-Werror" in built(tmp_path, {}, CI="true")["warnings"]
    assert "-Werror" not in built(tmp_path, {})["warnings"]


def test_architectures_are_those_that_are_asked_for(tmp_path: Path) -> None:
    only = built(tmp_path, {}, MINIFLOAT_CUDA_ARCHS="90a")["targets"]
    assert only == ["-gencode=arch=compute_90a,code=sm_90a", "-DMINIFLOAT_SM90A"]
    plain = built(tmp_path, {}, MINIFLOAT_CUDA_ARCHS="80")["targets"]
    assert [target.rpartition("=")[2] for target in plain] == ["sm_80", "compute_80"]


def test_a_build_that_cannot_be_says_what_is_missing_or_allowed(tmp_path: Path) -> None:
    message = "minifloat: CUDA kernels need nvcc, which is neither on the PATH nor in CUDA_HOME"
    done = run(tmp_path, {}, WITHOUT="nvcc", MINIFLOAT_CUDA="1")
    assert (done.returncode, done.stderr.strip()) == (1, message)
    done = run(tmp_path, {"nvidia-smi": GPU}, WITHOUT="nvcc")
    served = f"{message}; GPUs are served by Triton or plain torch"
    assert (done.returncode, done.stderr.strip()) == (0, served)
    done = run(tmp_path, {}, MINIFLOAT_CUDA="yes")
    assert (done.returncode, done.stderr.strip()) == (1, "MINIFLOAT_CUDA must be 0 or 1; got 'yes'")
