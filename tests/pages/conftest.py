"""The folder that commands of the pages run in, and what is left out of them."""

import gzip
import shlex
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.bitdepth import speed
from evaluation.extractors.campplus_network import CamPlusPlusNetwork
from evaluation.separation import speaker_map
from evaluation.separation import study as separation_study
from evaluation.statistics import histogram
from tests.pages.printed import BLOCKS, FILES, is_doctest
from tests.support.paths import ROOT

NETWORK = """
import torch

linear = torch.nn.Linear(400, 6)

def model(clip):
    return linear(clip[: len(clip) // 400 * 400].reshape(-1, 400)).mean(0)
"""


# A program on the PATH that tells what it is called with.
TELLING = f"""#!/usr/bin/env bash
[[ $1 == -c ]] && exec {shlex.quote(sys.executable)} "$@"
printf '%s\\0' "${{0##*/}}" "$@" >>"$CALLS"
echo >>"$CALLS"
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in: its programs tell what they are called with."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts" / "install").write_text("#!/bin/sh\n")
    for name in ("benchmarks", "tests", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "python3", "minifloat", "pytest"):
        (programs / name).write_text(TELLING)
        (programs / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def samples(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout with a small file for each name that the pages print."""
    rng = np.random.default_rng(0)
    names = [f"SPEAKER000{i}" for i in range(6)]
    speaker = np.repeat(names, 3)
    utterance = np.array([f"{i:05}" for i in range(len(speaker))])
    place = checkout / "evaluation" / "samples"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "evaluation" / "samples" / "make.py", place)
    (checkout / "full").mkdir()
    for model, dim in (("campplus", 192), ("ge2e", 256)):
        voices = np.repeat(rng.standard_normal((len(names), dim)), 3, axis=0)
        rows = np.float32(voices + rng.standard_normal(voices.shape))
        for folder in (checkout, checkout / "full", place):
            path = folder / f"so762-{model}.npz"
            np.savez(path, embeddings=rows, speaker=speaker, utterance=utterance)
        for part, start in (("evaluated", ""), ("cohort", "OTHER")):
            path, called = checkout / f"so762-{model}-{part}.npz", np.char.add(start, speaker)
            np.savez(path, embeddings=rows, speaker=called, utterance=utterance)
    trials = "".join(
        f"{int(speaker[i] == speaker[j])} {utterance[i]} {utterance[j]}\n"
        for i, j in pairwise(range(len(speaker)))
    )
    (checkout / "trials.txt").write_text(trials)
    (checkout / "veri_test_cleaned.txt.gz").write_bytes(gzip.compress(trials.encode()))
    (checkout / "draws.toml").write_text("draws = 50\n")
    for block in BLOCKS:
        if block.language in FILES and not is_doctest(block):
            (checkout / FILES[block.language]).write_text(block.text)
    (checkout / "network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(checkout)
    for module in ("own", "network"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    torch.save(CamPlusPlusNetwork(192).state_dict(), checkout / "campplus_cn_en_common.pt")
    soundfile = pytest.importorskip("soundfile")
    for i, name in enumerate(names[:2]):
        (checkout / "recordings" / name).mkdir(parents=True)
        for j in range(2):
            clip = rng.uniform(-0.1, 0.1, 8000 + 100 * i + j)
            soundfile.write(checkout / "recordings" / name / f"{j}.wav", clip, 16000)
    return checkout


@pytest.fixture(params=["shortened", pytest.param("as printed", marks=pytest.mark.long)])
def is_shortened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether figures, maps and fine thresholds, which take most of the time, are left out."""
    if request.param == "as printed":
        return False

    def mapped(rows: NDArray[np.float32], _: speaker_map.MapOptions) -> NDArray[np.float32]:
        return rows[:, :2]

    def saved(_: Figure, file: Any, **__: Any) -> None:
        file.write('<svg xmlns="http://www.w3.org/2000/svg"/>')

    monkeypatch.setattr(speaker_map, "speaker_map", mapped)
    monkeypatch.setattr(separation_study, "speaker_map", mapped)
    monkeypatch.setattr(Figure, "savefig", saved)
    monkeypatch.setattr(speed, "ROWS", 100)
    monkeypatch.setattr(histogram, "BINS_PER_UNIT", 1 << 12)
    monkeypatch.setattr(histogram, "BINS", (2 << 12) + 1)
    return True


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
