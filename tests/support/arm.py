"""The kernels on 64-bit Arm, emulated: a program that calls them, built for there and for here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import runpy
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.paths import ROOT

COMPILER = "aarch64-linux-gnu-g++"
OBJDUMP = "aarch64-linux-gnu-objdump"
LIBRARIES = Path("/usr/aarch64-linux-gnu")
EMULATOR = next(filter(shutil.which, ("qemu-aarch64-static", "qemu-aarch64")), None)
MISSING = [name for name in (COMPILER, OBJDUMP) if shutil.which(name) is None]
MISSING += [] if EMULATOR else ["qemu-aarch64"]
# As a reason to skip.
NOT_HERE = f"needs {' and '.join(MISSING)}: apt-get install g++-aarch64-linux-gnu qemu-user-static"

CSRC = ROOT / "csrc"
DRIVER = ROOT / "tests" / "backends" / "cpu" / "arm"
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


@cache
def flags() -> list[str]:
    """Return what setup.py compiles the kernels with."""
    environment = patch.dict(os.environ, MINIFLOAT_CUDA="0")
    with environment, patch("setuptools.setup"):
        found = runpy.run_path(str(ROOT / "setup.py"))
    return ["-std=c++20", *found["FLAGS"], *found["WARNINGS"], f"-I{CSRC}"]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from building there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compiled(
    folder: Path, compiler: str, sources: dict[Path, list[str]], *, strict: bool = True
) -> list[Path]:
    """Compile sources, each with its options, where they or any header have changed since."""
    headers = b"".join(path.read_bytes() for path in sorted(CSRC.rglob("*.h")))
    headers += b"".join(path.read_bytes() for path in sorted(DRIVER.glob("*.h")))
    # A sanitizer's runtime is for the program, not for its compiler.
    environment = {name: text for name, text in os.environ.items() if name != "LD_PRELOAD"}

    def object_of(source: Path) -> Path:
        options = [*sources[source], *(["-Werror"] if strict else [])]
        whole = headers + source.read_bytes() + repr([compiler, options]).encode()
        name = ".".join(source.relative_to(ROOT).parts)
        made = folder / f"{name}-{hashlib.sha256(whole).hexdigest()[:16]}.o"
        if not made.exists():
            for old in folder.glob(f"{name}-*.o"):
                old.unlink()
            part = made.with_suffix(".part")
            command = [compiler, *options, "-c", str(source), "-o", str(part)]
            subprocess.run(command, check=True, env=environment)
            part.rename(made)
        return made

    # Those that take longest start first.
    order = sorted(sources, key=lambda source: (source.parent.parent.name != "sets", source))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(object_of, order))


def linked(folder: Path, compiler: str, objects: Sequence[Path], *options: str) -> Path:
    """Link a program of objects, of which it is told by name whether they are the same."""
    name = hashlib.sha256(repr([*map(str, objects), options]).encode()).hexdigest()[:16]
    program = folder / f"driver-{name}"
    if not program.exists():
        for old in folder.glob("driver-*"):
            old.unlink()
        command = [compiler, *map(str, objects), "-o", str(program), "-pthread", *options]
        subprocess.run(command, check=True)
    return program


def kernels() -> list[Path]:
    """Return the sources of the CPU's kernels, without the Python module."""
    return [path for path in sorted(CSRC.rglob("cpu/**/*.cpp")) if path.name != "module.cpp"]


@cache
def build(*options: str) -> tuple[Path, list[Path]]:
    """Build the program for 64-bit Arm; return it, and the objects of the kernels."""
    folder = ROOT / "build" / ("arm-sanitized" if options else "arm")
    with _locked(folder):
        sources = {path: [*flags(), *options] for path in (*kernels(), *DRIVER.glob("*.cpp"))}
        objects = compiled(folder, COMPILER, sources)
        return linked(folder, COMPILER, objects, *options), objects


@cache
def build_here() -> Path:
    """Build the program for this machine, with plain C++ and no other set but by name."""
    folder = ROOT / "build" / "arm-here"
    with _locked(folder):
        others = {path for path in kernels() if path.parent.parent.name == "sets"}
        plain = {path for path in others if path.parent.name == "scalar"}
        needed = {*kernels(), *DRIVER.rglob("*.cpp")} - (others - plain)
        sources = {path: [*flags(), "-O1"] for path in needed}
        return linked(folder, "g++", compiled(folder, "g++", sources, strict=False))


def emulated(program: Path, *arguments: str, cpu: str = "max", **options: Any) -> list[str]:
    """Return the lines that a program prints on an emulated processor."""
    assert EMULATOR
    command = [EMULATOR, "-L", str(LIBRARIES), "-cpu", cpu, str(program), *arguments]
    done: Any = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    lines: list[str] = done.stdout.splitlines()
    return lines
