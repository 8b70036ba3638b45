"""Folders of short synthetic recordings, and a model that needs no library."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.__main__ import main
from tests.evaluation.extraction.runs import SHARDED, Extract, Shards, contents
from tests.evaluation.recordings.sounds import make_wav

MODEL = """
import os
import time
from pathlib import Path

import numpy as np

def embed(clips):
    time.sleep(float(os.environ.get("SECONDS_A_BATCH", 0)))
    log = os.environ.get("CALLS")
    if log and len(clips[0]) != 16000:
        with Path(log).open("a") as file:
            file.writelines(f"{len(clip)}\\n" for clip in clips)
    return np.array([[clip.mean(), clip.std(), len(clip), clip[0]] for clip in clips])

def embed_all_but_short_ones(clips):
    if min(map(len, clips)) < 1000:
        raise RuntimeError("too short")
    return embed(clips)

def embed_silence_as_nan(clips):
    rows = embed(clips)
    rows[rows[:, 1] == 0] = np.nan
    return rows

def embed_all_at_once(clips):
    return embed(clips).mean(axis=0)

def embed_nothing(clips):
    if len(clips[0]) == 16000:
        return embed(clips)
    raise RuntimeError("device lost")

constant = 1
"""


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Three speakers with four recordings each, all of different lengths."""
    for place in range(12):
        path = tmp_path / "speech" / f"s{place // 4}" / f"{place % 4:02}.wav"
        make_wav(path, samples=3000 + 10 * place, seed=place)
    return tmp_path / "speech"


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a module `own`, which can be imported during the test."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "own.py").write_text(MODEL)
    monkeypatch.syspath_prepend(folder)
    # Each test has a module of its own: the former one is forgotten.
    monkeypatch.delitem(__import__("sys").modules, "own", raising=False)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "voices.safetensors"


@pytest.fixture
def extract(own_models: Path, speech: Path, out: Path) -> Extract:
    """Runs the command with a model of one's own; further options follow."""

    def run(function: str = "embed", *options: str) -> int:
        given = ["--model", f"own:{function}", "--data", str(speech), "--out", str(out)]
        return main(["extract", *given, "--batch", "4", *options])

    return run


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The length of each clip that the model was given so far."""
    log = tmp_path / "calls"
    log.touch()
    monkeypatch.setenv("CALLS", str(log))
    return lambda: [int(line) for line in log.read_text().splitlines()]


@pytest.fixture
def shards(extract: Extract, out: Path) -> Shards:
    """Runs shards of an extraction, all by default, with batches of two recordings."""

    def run(count: int, *numbers: int, function: str = SHARDED) -> dict[str, bytes]:
        for number in numbers or range(1, count + 1):
            assert extract(function, "--batch", "2", "--shard", f"{number}/{count}") == 0
        return contents(out)

    return run
