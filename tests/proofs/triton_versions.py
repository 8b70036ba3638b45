"""Runs the Triton backend with several versions of Triton: scripts/test --triton [VERSION]...

Tests of the codec, of scores and of searches are run in the interpreter, with a format of each
lane; then kernels are compiled for GPUs. The version in .venv only compiles them, for the suite
interprets it. Others lie in .venv-triton/, on top of .venv, and may be removed.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import version

from tests.support.paths import ROOT

FOLDER = ROOT / ".venv-triton"
ALL = ("80", "90", "100")
# For which compute capabilities to compile: what torch 2.11 and 2.13 ask for, and the newest.
VERSIONS = {"3.6.0": ("90",), "3.7.1": ALL, "3.9.0": ALL}
# Triton 3.6's interpreter takes numbers from arrays in a way that NumPy 2.4 has ended.
NUMPY = {"3.6.0": "numpy<2.4"}
SUITE = [
    *(f"tests/codec/test_{name}.py" for name in ("codec", "packing", "shapes", "transforms")),
    *(f"tests/scoring/test_{name}.py" for name in ("scores", "float_queries", "pairs", "search")),
    *(f"tests/scoring/test_{name}.py" for name in ("special_rows", "framed_scores", "coordinates")),
]
INTERPRETED = "triton and (e2m1 or e3m4 or e5m2)"


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if anything failed with any version."""
    options = argparse.ArgumentParser(
        prog="scripts/test --triton", description="run the Triton backend with versions of Triton"
    )
    options.add_argument("versions", nargs="*", default=list(VERSIONS), metavar="VERSION")
    options.add_argument(
        "--kernels", default="", metavar="PATTERN", help="compile only those of such names"
    )
    given = options.parse_args(arguments)
    failed = [name for name in given.versions if not _passes(name, given.kernels)]
    print(f"== {len(given.versions) - len(failed)} passed, {len(failed)} failed {failed or ''}")
    return bool(failed)


def _passes(name: str, kernels: str) -> bool:
    python, passes = _installed(name), True
    if python != sys.executable:
        print(f"== Triton {name}: {', '.join(SUITE)} -k '{INTERPRETED}'", flush=True)
        command = ["-m", "pytest", "--quiet", "--numprocesses", "auto", "-k", INTERPRETED, *SUITE]
        passes = _runs(python, *command)
    capabilities = VERSIONS.get(name, ALL)
    print(f"== Triton {name}: kernels for {', '.join(capabilities)}", flush=True)
    targets = ["-m", "tests.proofs.triton_targets", "--kernels", kernels, *capabilities]
    return _runs(python, *targets) and passes


def _runs(python: str, *arguments: str) -> bool:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [python, "-W", "ignore", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT).returncode == 0


def _installed(name: str) -> str:
    """Return the Python that imports a version of Triton."""
    if name == version("triton"):
        return sys.executable
    folder = FOLDER / name
    python, stamp = str(folder / "bin" / "python"), folder / "installed"
    wanted = [f"triton=={name}", *([NUMPY[name]] if name in NUMPY else [])]
    if stamp.exists() and stamp.read_text() == str(wanted):
        return python
    print(f"== installing {', '.join(wanted)} into {folder.relative_to(ROOT)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    install = [sys.executable, "-m", "pip", "--python", python, "install"]
    install += ["--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, *wanted], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "below.pth").write_text(sysconfig.get_path("purelib"))
    stamp.write_text(str(wanted))
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
