"""Run the recipes, each in a virtual environment with its library: scripts/test --recipes [NAME]...

Environments lie in .venv-recipes/, on top of .venv, and may be removed. Those of speaker models are
run by scripts/test --extractors.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.environments import run_each, without_compiled_torchaudio
from tests.support.paths import ROOT

FOLDER = ROOT / ".venv-recipes"
# What is installed for a recipe, the file that tests it, and options of pytest.
RECIPES: dict[str, tuple[list[str], str, list[str]]] = {
    "faiss": (["faiss-cpu==1.15.1"], "coming_from", ["-k", "faiss"]),
    "usearch": (["usearch==2.26.6"], "coming_from", ["-k", "usearch"]),
    "turbovec": (["turbovec==1.1.2"], "coming_from", ["-k", "turbovec"]),
    "langchain": (
        ["langchain-core==1.8.3", "langchain-tests==1.1.9"],
        "langchain",
        ["-oasyncio_mode=auto"],
    ),
    "llamaindex": (["llama-index-core==0.14.25"], "llamaindex", []),
    "sentence-transformers": (["sentence-transformers==6.2.0"], "sentences", []),
    "wespeaker": (["onnx>=1.17", "wespeakerruntime==1.0.1"], "wespeaker", []),
}


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if the tests of any recipe failed."""
    return run_each(arguments, RECIPES, _passes, mode="recipes", noun="recipe")


def _passes(name: str) -> bool:
    wanted, tests, options = RECIPES[name]
    python = _installed(name, wanted)
    print(f"== testing {name}", flush=True)
    command = [str(python), "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider"]
    command += ["--confcutdir=tests/examples", f"tests/examples/recipes/test_{tests}.py", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode == 0


def _installed(name: str, wanted: list[str]) -> Path:
    folder = FOLDER / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    if stamp.exists() and stamp.read_text() == str(wanted):
        return python
    print(f"== installing {', '.join(wanted)} into {folder.relative_to(ROOT)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "below.pth").write_text(sysconfig.get_path("purelib"))
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *wanted], check=True)
    without_compiled_torchaudio(folder)
    stamp.write_text(str(wanted))
    return python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
