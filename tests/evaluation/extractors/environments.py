"""Run the tests of the extractors, each in a virtual environment with its library.

Usage: scripts/test --extractors [NAME...]. A name is that of an extra without "extract-"; all of
them without one. Environments lie in .venv-extractors/ and are used again; they may be removed.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.environments import run_each, without_compiled_torchaudio
from tests.support.paths import ROOT

FOLDER = ROOT / ".venv-extractors"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PREFIX = "extract-"
# Without a version, pip may fetch a torch with gigabytes of CUDA packages.
TORCH = "torch==2.13.0"
# What is installed without what it asks for.
ALONE = {"ge2e": ["resemblyzer==0.1.4"]}
PYTEST = ["pytest>=8"]


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if the tests of any extractor failed."""
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    known = [name.removeprefix(PREFIX) for name in EXTRAS if name.startswith(PREFIX)]
    known = [name for name in known if name in tests]
    return run_each(arguments, known, _passes, mode="extractors", noun="extractor")


def _passes(name: str) -> bool:
    python = _installed(name)
    print(f"== testing {name}", flush=True)
    folder = Path(__file__).parent
    # -s shows what the tests measure; libraries warn of what is theirs to mend.
    command = [str(python), "-m", "pytest", "-s", "-W", "default", "-p", "no:cacheprovider"]
    # The fixtures of other tests need a built minifloat; extractors do not.
    command += [f"--confcutdir={folder}", str(folder / f"test_{name}.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode == 0


def _installed(name: str) -> Path:
    folder = FOLDER / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = [*_requirements(f"{PREFIX}{name}"), *PROJECT["dependencies"], *PYTEST]
    state = "\n".join([TORCH, *wanted, *ALONE.get(name, [])])
    if stamp.exists() and stamp.read_text() == state:
        return python
    print(f"== installing {', '.join(wanted)} into {folder.relative_to(ROOT)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install.append(TORCH)
    subprocess.run(install, check=True)
    subprocess.run([*install, *wanted], check=True)
    if name in ALONE:
        subprocess.run([*install, "--no-deps", *ALONE[name]], check=True)
    without_compiled_torchaudio(folder)
    stamp.write_text(state)
    return python


def _requirements(extra: str) -> Iterator[str]:
    for requirement in EXTRAS[extra]:
        own = re.fullmatch(rf"{PROJECT['name']}\[(.+)\]", requirement)
        if own:
            for name in own[1].split(","):
                yield from _requirements(name)
        else:
            yield requirement


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
