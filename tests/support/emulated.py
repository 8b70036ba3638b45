"""The CUDA kernels as host code: minifloat._cuda built for the emulator, which needs no GPU."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import CDLL, c_bool, c_float, c_int, c_int64, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pybind11
import torch
from numpy.typing import NDArray

import minifloat
from tests.support.paths import ROOT

CSRC = ROOT / "csrc"
SOURCES = sorted([*CSRC.glob("cuda/**/*.cu"), *CSRC.glob("cuda/**/*.cpp")])
HEADERS = sorted(path for path in CSRC.rglob("*.h") if CSRC / "cpu" not in path.parents)
FLAGS = ["-std=c++20", "-O2", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off"]
# GCC 12 raises the last one of what pybind11 has, with sanitizers.
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-maybe-uninitialized"]

# Threads switch stacks in assembly; where there is a GPU, the kernels are those for it.
IS_HERE = platform.machine() == "x86_64" and not torch.cuda.is_available()
NOT_HERE = "the emulator is for x86-64 machines without a GPU"

# What an emulated GPU has until something else is said.
FEW_MULTIPROCESSORS = 2


def install() -> None:
    """Make the emulated kernels those of `minifloat.backends.cuda`."""
    name = "minifloat._cuda"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, build())
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
        vars(minifloat)["_cuda"] = sys.modules[name]


def set_order(*, backward: bool = False, at_once: bool = False) -> None:
    """Choose the order in which threads take turns, and when asynchronous work is done."""
    function: Any = CDLL(str(build())).minifloat_set_order
    function.argtypes = [c_bool, c_bool]
    function(backward, at_once)


def set_warpgroup_products(there: bool) -> None:
    """Choose whether the GPU has warpgroups that multiply; it has until something else is said."""
    function: Any = CDLL(str(build())).minifloat_set_warpgroup_products
    function.argtypes = [c_bool]
    function(there)


def set_multiprocessors(count: int) -> None:
    """Choose how many multiprocessors the GPU has; few until something else is said."""
    function: Any = CDLL(str(build())).minifloat_set_multiprocessors
    function.argtypes = [c_int]
    function(count)


def search_workspace(
    format: minifloat.Format, *, queries: int, rows: int, dim: int, k: int, at_once: int
) -> tuple[int, int]:
    """Return a search's bytes of workspace, and those that some of its queries take at once."""
    function: Any = CDLL(str(build())).minifloat_search_workspace
    function.argtypes = [c_int, *[c_int64] * 5, c_void_p]
    bytes = np.empty(2, np.int64)
    function(format.index, queries, rows, dim, k, at_once, bytes.ctypes.data)
    return int(bytes[0]), int(bytes[1])


def course(format: minifloat.Format, *, queries: int, rows: int, dim: int, k: int) -> list[int]:
    """Return how a search goes: its lists, and then the ends of its parts of the rows."""
    function: Any = CDLL(str(build())).minifloat_course
    function.argtypes = [c_int, *[c_int64] * 4, c_void_p]
    numbers = np.empty(64, np.int64)
    count = function(format.index, queries, rows, dim, k, numbers.ctypes.data)
    return [int(number) for number in numbers[:count]]


class Plan(NamedTuple):
    """How warpgroups multiply; zeros where they do not."""

    tiles: int
    planes: int
    stages: int
    blocks: int


def plan(
    format: minifloat.Format,
    *,
    packed: bool = True,
    queries: int = 256,
    dim: int = 256,
    address: int = 0,
    capacity: int = 128,
) -> Plan:
    """Return the tiles and planes of queries, stages of rings and blocks at once of a search."""
    function: Any = CDLL(str(build())).minifloat_warpgroup_plan
    function.argtypes = [c_int, c_bool, c_int64, c_int64, c_size_t, c_int, c_void_p]
    found = np.empty(4, np.int32)
    function(format.index, packed, queries, dim, address, capacity, found.ctypes.data)
    return Plan(*found.tolist())


@contextmanager
def ways(**chosen: bool | int) -> Iterator[Any]:
    """Make the kernels do things in chosen ways for a while, all of which may be changed."""
    install()
    of_process = sys.modules["minifloat._cuda"].ways()
    names = [name for name in dir(of_process) if not name.startswith("_")]
    before = {name: getattr(of_process, name) for name in names}
    for name, value in chosen.items():
        setattr(of_process, name, value)
    try:
        yield of_process
    finally:
        for name, value in before.items():
            setattr(of_process, name, value)


def are_streamed(
    format: minifloat.Format, *, queries: int = 1, dim: int = 256, address: int = 0
) -> bool:
    """Return whether rows of a search stream to the lanes that multiply them."""
    function: Any = CDLL(str(build())).minifloat_are_streamed
    function.argtypes, function.restype = [c_int, c_int64, c_int64, c_size_t], c_bool
    streamed: bool = function(format.index, queries, dim, address)
    return streamed


def cut(bound: float, factor: float, norm: float) -> np.float32:
    """Return, in its bits, what an integer sum must reach for its score to be looked at."""
    function: Any = CDLL(str(build())).minifloat_cut
    function.argtypes, function.restype = [c_float] * 3, c_float
    return np.float32(function(bound, factor, norm))


def convert(x: NDArray[np.float32], format: minifloat.Format) -> NDArray[np.uint8] | None:
    """Return codes by the instruction that some GPUs have for a format, or None."""
    codes = np.empty(x.shape, np.uint8)
    function: Any = CDLL(str(build())).minifloat_convert
    function.argtypes, function.restype = [c_int, c_void_p, c_int64, c_void_p], c_bool
    there = function(format.index, x.ctypes.data, x.size, codes.ctypes.data)
    return codes if there else None


def round_numbers(
    x: NDArray[np.float32], format: minifloat.Format, *, saturate: bool
) -> NDArray[np.uint8]:
    """Return codes of what is no NaN, as a GPU without an instruction for the format has them."""
    codes = np.empty(x.shape, np.uint8)
    function: Any = CDLL(str(build())).minifloat_round_numbers
    function.argtypes, function.restype = [c_int, c_bool, c_void_p, c_int64, c_void_p], None
    function(format.index, saturate, x.ctypes.data, x.size, codes.ctypes.data)
    return codes


@cache
def build() -> Path:
    """Compile what has changed since the last time, and return the extension."""
    # A sanitizer's runtime is for the extension, not for its compiler.
    environment = {name: text for name, text in os.environ.items() if name != "LD_PRELOAD"}
    flags = [*FLAGS, *WARNINGS, *os.environ.get("CFLAGS", "").split()]
    folders = (pybind11.get_include(), sysconfig.get_paths()["include"], CSRC)
    includes = [f"-I{folder}" for folder in folders]
    folder = ROOT / "build" / "emulated"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        headers = b"".join(path.read_bytes() for path in HEADERS)
        # The includes name the version of Python, which an extension is for.
        headers += repr([flags, includes]).encode()

        def compiled(source: Path) -> Path:
            digest = hashlib.sha256(headers + source.read_bytes()).hexdigest()[:16]
            name = ".".join(source.relative_to(CSRC / "cuda").parts)
            made = folder / f"{name}-{digest}.o"
            if not made.exists():
                for old in folder.glob(f"{name}-*.o"):
                    old.unlink()
                command = [
                    "g++",
                    *flags,
                    *includes,
                    "-x",
                    "c++",
                    "-c",
                    str(source),
                    "-o",
                    str(made),
                ]
                subprocess.run(command, check=True, env=environment)
            return made

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = list(pool.map(compiled, SOURCES))
        digest = hashlib.sha256(repr(objects).encode()).hexdigest()[:16]
        extension = folder / f"_cuda-{digest}.so"
        if not extension.exists():
            for old in folder.glob("_cuda-*.so"):
                old.unlink()
            command = ["g++", *flags, "-shared", *map(str, objects), "-o", str(extension)]
            subprocess.run(command, check=True, env=environment)
    return extension
