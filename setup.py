"""Builds minifloat._C, the CPU kernels, with the C++ compiler alone."""

from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import setup

CPU = Path("csrc/cpu")

# Kernels that vectorise need branches turned into selections, which jump threading undoes, and
# scores that are the same on every machine need products that are rounded before they are added.
FLAGS = ["-O3", "-fno-thread-jumps", "-fno-trapping-math", "-ffp-contract=off", "-g0"]
# The AVX-512 headers of GCC 12 raise the two that are turned off.
WARNINGS = ["-Wall", "-Wextra", "-Wno-maybe-uninitialized", "-Wno-uninitialized"]

ParallelCompile().install()
setup(
    ext_modules=[
        Pybind11Extension(
            "minifloat._C",
            sorted(map(str, CPU.glob("*.cpp"))),
            depends=[str(header) for header in sorted(Path("csrc").rglob("*.h"))],
            cxx_std=20,
            extra_compile_args=[*FLAGS, *WARNINGS],
        )
    ]
)
