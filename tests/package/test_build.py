"""What setup.py builds, by what is there and what is asked for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

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


def add_formats(csrc: Path, *lines: str) -> None:
    path = csrc / "format" / "format.h"
    table = path.read_text()
    end = table.rindex("};")
    path.write_text(table[:end] + "".join(lines) + table[end:])


def compiled(folder: Path, facts: str) -> subprocess.CompletedProcess[str]:
    """What the compiler says of the lanes with one format more."""
    shutil.copytree(ROOT / "csrc", folder / "csrc")
    add_formats(folder / "csrc", f'NamedFormat{{"new", {facts}}},')
    command = ["g++", "-std=c++20", "-fsyntax-only", "-Icsrc", "-include", "format/lanes.h"]
    return subprocess.run(
        [*command, "-x", "c++", os.devnull], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("{2, 2, Specials::kNone}", "rows are packed and unpacked for codes of 4, 6 or 8 bits"),
        ("{3, 0, Specials::kNone}", "ties go to even by the lowest bit of the mantissa"),
        ("{1, 4, Specials::kIeee}", "infinity and NaN would take the only exponent of normal"),
        ("{5, 2, Specials::kNone}", "matrix units multiply values as float16"),
        ("{6, 1, Specials::kIeee}", "matrix units multiply values as float16"),
        ("{4, 1, Specials::kNone}", "lanes of floats are made of codes of 8 bits"),
        ("{1, 6, Specials::kNone}", "products of 2^18 bytes of a row and of a query"),
        ("{3, 4, Specials::kNone}", "a step's products with a float query must add up in an int32"),
    ],
)
def test_a_format_that_kernels_do_not_take_is_refused_by_the_compiler_with_the_reason(
    facts: str, reason: str, tmp_path: Path
) -> None:
    done = compiled(tmp_path, facts)
    assert done.returncode != 0
    assert f"static assertion failed: {reason}" in done.stderr


@pytest.mark.parametrize(
    "facts", ["{1, 4, Specials::kNone}", "{2, 5, Specials::kNan}", "{4, 3, Specials::kIeee}"]
)
def test_a_format_is_one_line_more_where_kernels_take_it(facts: str, tmp_path: Path) -> None:
    done = compiled(tmp_path, facts)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_a_format_that_nobody_has_is_one_line_and_passes_the_tests_of_all_others(
    tmp_path: Path,
) -> None:
    for name in ("csrc", "minifloat", "evaluation", "benchmarks", "tests"):
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    lines = (
        'NamedFormat{"e1m4", {1, 4, Specials::kNone}},',
        'NamedFormat{"e2m5", {2, 5, Specials::kNan}},',
    )
    add_formats(tmp_path / "csrc", *lines)
    environment = {**os.environ, "MINIFLOAT_CUDA": "0", "PYTHONPATH": str(tmp_path)}
    of = {
        "formats": ("formats",),
        "codec": ("codec", "shapes", "transforms", "bridges", "refused_arrays"),
        "scoring": ("scores", "float_queries", "pairs", "special_rows"),
    }
    files = [f"tests/{room}/test_{name}.py" for room in of for name in of[room]]
    new = "(e1m4 or e2m5) and not triton and not cuda"
    for command in (
        ["setup.py", "--quiet", "build_ext", "--inplace"],
        ["-m", "pytest", "-q", "-m", "not long", "-k", new, *files],
    ):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
