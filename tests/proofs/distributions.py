"""Proves what is published: that sources build alone, and wheels run on what they say they do.

Usage: python -m tests.proofs.distributions sdist FILE
       python -m tests.proofs.distributions wheels FOLDER PYTHON...

`sdist` builds a wheel of a source distribution without a network. `wheels` looks into each wheel of
a folder, installs it into clean virtual environments, with the oldest and with the newest torch and
NumPy that have wheels for that Python, and uses it there. `scripts/release` runs both.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from tests.support.paths import ROOT

# Oldest that the metadata allows, and newest.
RESOLUTIONS = ("lowest-direct", "highest")

# What a stranger may do first; it prints what it ran on.
PROGRAM = """
import importlib.util, sys, tempfile
import numpy as np, torch, minifloat as mf

assert importlib.util.find_spec("evaluation") is None
x = np.random.default_rng(0).standard_normal((1000, 96), np.float32)
for format in mf.FORMATS:
    codes = mf.encode(x, format)
    assert (mf.unpack(mf.pack(codes, format), format, 96) == codes).all()
    assert (mf.encode(mf.decode(codes, format), format) == codes).all()
    db = mf.quantize(x, format, errors=True)
    scores, rows = mf.search(x, db, 3)
    assert (rows[:, 0] == np.arange(1000)).all()
    scores, rows = mf.search(torch.from_numpy(x), db, 3, originals=x)
    assert (rows[:, 0] == torch.arange(1000)).all()
with tempfile.TemporaryDirectory() as folder:
    db.save(f"{folder}/rows.safetensors")
    assert mf.PackedVectors.load(f"{folder}/rows.safetensors", mmap=False) == db
    index = mf.Index.create(f"{folder}/index", 96, "e2m1")
    index.add(range(1000), x)
    index.commit()
    assert index.search(x[:5], 1)[1][:, 0].tolist() == list(range(5))
    index.close()
told = [sys.version.split()[0], torch.__version__, np.__version__, mf.__version__]
print("python {}, torch {}, numpy {}: minifloat {} runs".format(*told))
"""


def main(arguments: list[str]) -> int:
    """Return 0; a check that fails raises."""
    options = argparse.ArgumentParser(prog="python -m tests.proofs.distributions")
    kinds = options.add_subparsers(dest="kind", required=True)
    kinds.add_parser("sdist").add_argument("file", type=Path)
    wheels = kinds.add_parser("wheels")
    wheels.add_argument("folder", type=Path)
    wheels.add_argument("pythons", nargs="+", metavar="PYTHON")
    given = options.parse_args(arguments)
    if given.kind == "sdist":
        build_alone(given.file.resolve())
        return 0
    found = sorted(given.folder.resolve().glob("*.whl"))
    for wheel in found:
        look_into(wheel)
    for python in given.pythons:
        (wheel,) = (one for one in found if _tag(python) in one.name.split("-"))
        for resolution in RESOLUTIONS:
            use(wheel, python, resolution)
    return 0


def build_alone(sdist: Path) -> None:
    """Build a wheel of a source distribution where no address can be reached."""
    with TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
        command = ["unshare", "--map-root-user", "--net", *pip, "--no-build-isolation"]
        subprocess.run([*command, "--wheel-dir", folder, str(sdist)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        look_into(wheel)


def look_into(wheel: Path) -> None:
    """Compare what is in a wheel with what must be, and print its size."""
    with ZipFile(wheel) as parts:
        names = parts.namelist()
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        commands = parts.read(f"{info}/entry_points.txt").decode()
    libraries = {name.partition("/")[0] for name in names if name.endswith(".so")}
    folders = {name.partition("/")[0] for name in names} - {info, "minifloat.libs"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert folders == {"minifloat"}, f"{wheel.name} has {sorted(folders)}"
    assert "minifloat" in libraries, f"{wheel.name} has no compiled module"
    assert "evaluation" not in commands, f"{wheel.name} names a command of the studies"
    assert f"{info}/licenses/LICENSE" in names, f"{wheel.name} has no licence"
    assert {"minifloat/py.typed", "minifloat/_C.pyi"} <= {*names}, f"{wheel.name} has no types"
    assert _metadata(wheel)["License-Expression"] == project["license"]
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.1f} MB", flush=True)


def use(wheel: Path, python: str, resolution: str) -> None:
    """Install a wheel into a clean environment and use it there, outside of any checkout."""
    with TemporaryDirectory() as folder:
        inside = f"{folder}/venv/bin/python"
        uv = [sys.executable, "-m", "uv"]
        _run(folder, *uv, "venv", "--quiet", "--python", python, f"{folder}/venv")
        install = [*uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", inside]
        # The lowest are taken of what is named here alone.
        wanted = [str(wheel), *_requirements(wheel)]
        _run(folder, *install, "--resolution", resolution, *wanted)
        _run(folder, inside, "-c", PROGRAM)
        _run(folder, inside, "-m", "minifloat")


def _run(folder: str, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": ""}
    subprocess.run(command, check=True, cwd=folder, env=environment)


def _requirements(wheel: Path) -> list[str]:
    told = _metadata(wheel).get_all("Requires-Dist", [])
    return [one for one in told if "extra ==" not in one]


def _metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as parts:
        (metadata,) = (name for name in parts.namelist() if name.endswith("/METADATA"))
        return BytesParser().parsebytes(parts.read(metadata))


def _tag(python: str) -> str:
    program = "import sys; print('cp{}{}'.format(*sys.version_info))"
    done = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
