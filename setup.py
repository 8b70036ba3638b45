"""Builds minifloat._C, the CPU kernels, with the C++ compiler alone, and with nvcc minifloat._cuda.

The latter where there is an NVIDIA GPU; MINIFLOAT_CUDA=1 builds it anywhere, MINIFLOAT_CUDA=0
nowhere. MINIFLOAT_CUDA_ARCHS says for which GPUs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext

# What every include is relative to.
CSRC = Path("csrc")
CPU, CUDA = CSRC / "cpu", CSRC / "cuda"

# Kernels that vectorise need branches turned into selections, which jump threading undoes, and
# scores that are the same on every machine need products that are rounded before they are added.
# Nobody asks why a root failed, which would keep roots from being taken side by side.
FLAGS = [
    "-O3",
    "-fno-thread-jumps",
    "-fno-trapping-math",
    "-fno-math-errno",
    "-ffp-contract=off",
    "-g0",
]
# The AVX-512 headers of GCC 12 raise the two that are turned off.
WARNINGS = ["-Wall", "-Wextra", "-Wno-maybe-uninitialized", "-Wno-uninitialized"]
# Clang, which has neither the pass nor the warning, warns of these.
GCC_ALONE = {"-fno-thread-jumps", "-Wno-maybe-uninitialized"}

NVCC_FLAGS = ["-std=c++20", "-O3", "--expt-relaxed-constexpr", "--fmad=false"]
# A stranger's compilers may warn of what those here do not; continuous integration sees all.
NVCC_WARNINGS = ["-Xcompiler", "-Wall,-Wextra"]
if os.environ.get("CI"):
    NVCC_WARNINGS += ["-Werror", "all-warnings"]
# Ampere; Hopper and Blackwell with the instructions that only they have.
DEFAULT_ARCHS = "80;90a;100a"


def has_gpu() -> bool:
    """Return whether NVIDIA's driver finds a GPU here."""
    program = shutil.which("nvidia-smi")
    return (
        program is not None and subprocess.run([program, "-L"], capture_output=True).returncode == 0
    )


def find_nvcc() -> str | None:
    """Return where nvcc is, or None where CUDA kernels are not wanted or cannot be built."""
    wanted = os.environ.get("MINIFLOAT_CUDA")
    if wanted not in (None, "0", "1"):
        sys.exit(f"MINIFLOAT_CUDA must be 0 or 1; got {wanted!r}")
    if wanted == "0" or (wanted is None and not has_gpu()):
        return None
    home = os.environ.get("CUDA_HOME")
    found = (
        (home and shutil.which("nvcc", path=f"{home}/bin"))
        or shutil.which("nvcc")
        or shutil.which("nvcc", path="/usr/local/cuda/bin")
    )
    if not found:
        message = "minifloat: CUDA kernels need nvcc, which is neither on the PATH nor in CUDA_HOME"
        if wanted:
            sys.exit(message)
        print(f"{message}; GPUs are served by Triton or plain torch", file=sys.stderr)
    return found or None


nvcc = find_nvcc()


def targets() -> list[str]:
    """Return nvcc's options for every architecture; later GPUs compile the code of plain ones.

    Whether there is code for sm_90a, which no other GPU runs, the host's code must know too.
    """
    options = []
    archs = os.environ.get("MINIFLOAT_CUDA_ARCHS", DEFAULT_ARCHS).split(";")
    for arch in archs:
        codes = [f"sm_{arch}", *([f"compute_{arch}"] if arch.isdigit() else [])]
        options += [f"-gencode=arch=compute_{arch},code={code}" for code in codes]
    return [*options, *(["-DMINIFLOAT_SM90A"] if "90a" in archs else [])]


def library_dirs(nvcc: str) -> list[str]:
    """Return where nvcc, which may be a link or a script, has its libraries."""
    run = subprocess.run([nvcc, "--dryrun", "none.cu"], capture_output=True, text=True, check=True)
    return re.findall(r'"-L([^"]+)"', run.stderr)


def depends(folder: Path) -> list[str]:
    """Return the headers that a folder's sources may include: those of all but other folders."""
    others = {CPU, CUDA} - {folder}
    return sorted(str(path) for path in CSRC.rglob("*.h") if others.isdisjoint(path.parents))


def is_clang(compiler: list[str]) -> bool:
    """Return whether a compiler, called as a program with some options, is Clang."""
    run = subprocess.run([compiler[0], "--version"], capture_output=True, text=True, check=True)
    return "clang" in run.stdout


class BuildExtensions(build_ext):
    """Compiles .cu files with nvcc, and all others as ever."""

    def build_extensions(self) -> None:
        """Teach the compiler what a .cu file is, then build."""
        if is_clang(self.compiler.compiler_so):
            for extension in self.extensions:
                extension.extra_compile_args = [
                    option for option in extension.extra_compile_args if option not in GCC_ALONE
                ]
        compile_one: Callable[..., Any] = self.compiler._compile

        def compile(obj: str, source: str, *rest: Any) -> None:
            if nvcc and source.endswith(".cu"):
                options = [*NVCC_FLAGS, *NVCC_WARNINGS, *targets(), f"-I{CSRC}"]
                hidden = ["-Xcompiler", "-fPIC,-fvisibility=hidden"]
                subprocess.run([nvcc, *options, *hidden, "-c", source, "-o", obj], check=True)
            else:
                compile_one(obj, source, *rest)

        self.compiler.src_extensions.append(".cu")
        self.compiler._compile = compile
        super().build_extensions()


extensions = [
    Pybind11Extension(
        "minifloat._C",
        sorted(map(str, CPU.rglob("*.cpp"))),
        depends=depends(CPU),
        include_dirs=[str(CSRC)],
        cxx_std=20,
        extra_compile_args=[*FLAGS, *WARNINGS],
    )
]
if nvcc:
    extensions.append(
        Pybind11Extension(
            "minifloat._cuda",
            [*sorted(map(str, CUDA.rglob("*.cu"))), str(CUDA / "module.cpp")],
            depends=depends(CUDA),
            include_dirs=[str(CSRC)],
            cxx_std=20,
            extra_compile_args=[*FLAGS, *WARNINGS],
            library_dirs=library_dirs(nvcc),
            libraries=["cudart_static", "dl", "rt", "pthread"],
        )
    )

COMMANDS = {"console_scripts": ["minifloat = minifloat.cli:main"]}
# Commands that minifloat's command line takes in; a package needs the extra of its name. No wheel
# has the studies, which an editable installation finds beside minifloat.
STUDIES = {"minifloat.commands": ["study = evaluation.__main__:main"]}
# The second writes what is found where the checkout is on Python's path.
OF_CHECKOUTS = {"editable_wheel", "egg_info"}

ParallelCompile().install()
setup(
    ext_modules=extensions,
    cmdclass={"build_ext": BuildExtensions},
    entry_points=COMMANDS | ({} if OF_CHECKOUTS.isdisjoint(sys.argv) else STUDIES),
)
