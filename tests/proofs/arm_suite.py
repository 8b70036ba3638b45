"""The suite on 64-bit Arm, emulated: scripts/test --arm [TEST]...

Python is Debian's (mmdebstrap, which needs no emulated step), torch and what the tests import are
wheels for that processor, and the extension is cross-compiled; all is kept in build/arm-python.
Without paths the rooms are those of formats, the codec, rows, frames and scores. With --codes every
float32 is encoded instead, by a program without Python, and the digests of the codes compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.proofs.exhaustive import DIGESTS
from tests.support import arm
from tests.support.paths import ROOT

FOLDER = ROOT / "build" / "arm-python"
DEBIAN, PYTHON = "bookworm", "3.11"
LIBRARY = f"libpython{PYTHON}-dev"
TORCH = "torch==2.8.0"
# What the tests import, and torch: pip would look for what it needs on the machine that asks.
PACKAGES = (
    *("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions"),
    *("numpy", "safetensors", "pybind11", "pytest", "hypothesis", "ml_dtypes", "gfloat", "tqdm"),
)
ROOMS = ("formats", "codec", "vectors", "frames", "scoring", "backends/cpu")


def system() -> Path:
    """Return the folder with Debian's Python for 64-bit Arm."""
    found = FOLDER / "system"
    if not found.exists():
        part = FOLDER / "system.part"
        shutil.rmtree(part, ignore_errors=True)
        included = f"--include=python3,{LIBRARY},libgomp1,libstdc++6"
        command = ["mmdebstrap", "--quiet", "--arch=arm64", "--variant=extract", included]
        subprocess.run([*command, "--skip=check/qemu", DEBIAN, str(part)], check=True)
        part.rename(found)
    return found


def site() -> Path:
    """Return the folder with the packages that the tests import."""
    found = FOLDER / "site"
    if not found.exists():
        part = FOLDER / "site.part"
        shutil.rmtree(part, ignore_errors=True)
        platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 27, 28)]
        where = ["--target", str(part), "--python-version", PYTHON, "--only-binary=:all:"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", *platforms, *where]
        subprocess.run([*command, *PACKAGES], check=True)
        subprocess.run([*command, "--no-deps", "--upgrade", TORCH], check=True)
        part.rename(found)
    return found


def extension(include: Path, pybind11: Path) -> Path:
    """Return the extension, cross-compiled."""
    folder = FOLDER / "extension"
    folder.mkdir(exist_ok=True)
    headers = [include / f"python{PYTHON}", include, pybind11]
    options = [*arm.flags(), "-fPIC", "-fvisibility=hidden", *(f"-I{path}" for path in headers)]
    module = arm.CSRC / "cpu" / "module.cpp"
    sources = dict.fromkeys([*arm.kernels(), module], options)
    objects = arm.compiled(folder, arm.COMPILER, sources, strict=False)
    return arm.linked(folder, arm.COMPILER, objects, "-shared")


def package(made: Path) -> Path:
    """Return the folder in which minifloat lies, with its extension, as if it were installed."""
    folder = FOLDER / "package"
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for one in ("minifloat", "benchmarks"):
        shutil.copytree(ROOT / one, folder / one, ignore=ignored)
    name = f"_C.cpython-{PYTHON.replace('.', '')}-aarch64-linux-gnu.so"
    shutil.copy(made, folder / "minifloat" / name)
    told = folder / f"minifloat-{version('minifloat')}.dist-info"
    told.mkdir()
    text = f"Metadata-Version: 2.1\nName: minifloat\nVersion: {version('minifloat')}\n"
    (told / "METADATA").write_text(text)
    return folder


@dataclass(frozen=True)
class Environment:
    """Python there, and what programs of it are started with."""

    system: Path
    variables: dict[str, str]

    def interpreter(self, emulator: str) -> Path:
        """Return a program that is Python there, and that finds itself where it starts another."""
        program = self.system / "usr" / "bin" / "python-emulated"
        python = self.system / "usr" / "bin" / f"python{PYTHON}"
        command = f'exec {emulator} -L "{self.system}" -cpu max -0 "{program}" "{python}" "$@"'
        program.write_text(f"#!/bin/sh\n{command}\n")
        program.chmod(0o755)
        return program


def environment() -> Environment:
    """Make what is not there yet; exit with an error where a program is missing."""
    missing = [*arm.MISSING, *([] if shutil.which("mmdebstrap") else ["mmdebstrap"])]
    if missing:
        debian = "g++-aarch64-linux-gnu qemu-user-static mmdebstrap"
        sys.exit(f"error: {', '.join(missing)} not found; apt-get install {debian}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    there, packages = system(), site()
    made = extension(there / "usr" / "include", packages / "pybind11" / "include")
    variables = {
        **os.environ,
        "PYTHONPATH": ":".join(map(str, (package(made), ROOT, packages))),
        # `python -m` would look for minifloat here first.
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Environment(there, variables)


def wrong_codes() -> list[str]:
    """Return the formats of which the codes of all float32 have not the digest on record."""
    program, _ = arm.build()
    wrong = []
    for name, recorded in json.loads(DIGESTS.read_text()).items():
        command = [str(arm.EMULATOR), "-L", str(arm.LIBRARIES), str(program), "codes", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
            assert run.stdout
            found = hashlib.file_digest(run.stdout, "sha256").hexdigest()  # type: ignore[arg-type]
        right = found == recorded and run.returncode == 0
        print(f"{name}: {'the digest on record' if right else found}", flush=True)
        wrong += [] if right else [name]
    return wrong


def main() -> int:
    """Return the exit status of the suite there."""
    options = argparse.ArgumentParser(prog="scripts/test --arm", description="test on 64-bit Arm")
    options.add_argument("tests", nargs="*", default=[f"tests/{room}" for room in ROOMS])
    options.add_argument(
        "-k", default="not eager", help="as pytest's; without it all but plain torch"
    )
    options.add_argument("--codes", action="store_true", help="encode every float32 instead")
    given = options.parse_args()
    if given.codes:
        return len(wrong_codes()) > 0
    there = environment()
    how = ["-q", "--durations=5", "-p", "no:cacheprovider", "-m", "not long", "-k", given.k]
    how += ["--ignore=tests/backends/cpu/test_arm.py"]
    command = [str(there.interpreter(str(arm.EMULATOR))), "-m", "pytest", *how, *given.tests]
    return subprocess.run(command, cwd=ROOT, env=there.variables).returncode


if __name__ == "__main__":
    sys.exit(main())
