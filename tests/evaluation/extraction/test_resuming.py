"""Extractions that go on from what others left, or refuse to."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.embeddings.extracted import read_extracted
from evaluation.extraction import progress
from evaluation.extraction.journal import folder_of
from tests.evaluation.extraction.runs import Extract, contents
from tests.evaluation.recordings.sounds import make_wav
from tests.support.paths import ROOT


def test_a_second_run_does_nothing(
    extract: Extract,
    out: Path,
    calls: Callable[[], list[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert extract() == 0
    before = contents(out)
    assert extract() == 0
    assert "has all 12 recordings already" in capsys.readouterr().out
    assert contents(out) == before
    assert len(calls()) == 12


def test_a_run_that_is_killed_again_and_again_gives_the_same_bytes(
    extract: Extract,
    out: Path,
    own_models: Path,
    speech: Path,
    calls: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert extract() == 0
    expected = contents(out)
    for path in out.parent.iterdir():
        path.unlink()
    batches_before = len(calls()) // 4
    given = ["--model", "own:embed", "--data", str(speech), "--out", str(out), "--batch", "4"]
    environment = os.environ | {"PYTHONPATH": f"{own_models}:{ROOT}"}
    environment["SECONDS_A_BATCH"] = "0.4"
    kills = 0
    for pause in (0.1, 0.5, 0.7):
        process = subprocess.Popen(
            [sys.executable, "-m", "evaluation", "extract", *given], env=environment
        )
        # From the first row on: starting takes longer than the work.
        folder, deadline = folder_of(out), time.monotonic() + 60
        while not folder.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 2
    monkeypatch.delenv("SECONDS_A_BATCH", raising=False)
    assert extract() == 0
    # What was begun when a process died may be begun again; what was finished may not.
    assert len(calls()) // 4 - batches_before <= 3 + kills
    assert contents(out) == expected


def test_an_interrupted_run_says_how_to_go_on(
    extract: Extract,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []

    def interrupted(self: progress.Progress, recordings: int) -> None:
        seen.append(recordings)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Progress, "advance", interrupted)
    assert extract() == 130
    assert "what was done is kept: run the same command to go on" in capsys.readouterr().err
    monkeypatch.undo()


def test_recordings_that_were_added_are_extracted_alone(
    extract: Extract,
    out: Path,
    speech: Path,
    calls: Callable[[], list[int]],
) -> None:
    assert extract() == 0
    make_wav(speech / "s0" / "03b.wav", samples=1234)
    assert extract() == 0
    assert calls()[12:] == [1234]
    assert [e.utterance for e in read_extracted(out).entries[3:5]] == ["03", "03b"]


@pytest.mark.parametrize("change", ["removed", "rewritten"])
def test_data_that_changed_is_refused(
    extract: Extract,
    speech: Path,
    capsys: pytest.CaptureFixture[str],
    change: str,
) -> None:
    assert extract() == 0
    if change == "removed":
        (speech / "s1" / "02.wav").unlink()
    else:
        make_wav(speech / "s1" / "02.wav", samples=2000)
    assert extract() == 2
    message = "holds 1 recordings that --data does not have, or not as they were, first s1/02.wav"
    assert message in capsys.readouterr().err


def test_a_model_whose_source_changed_is_another_one(
    extract: Extract,
    own_models: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert extract() == 0
    path = own_models / "own.py"
    path.write_text(path.read_text() + "# changed\n")
    monkeypatch.delitem(sys.modules, "own")
    assert extract() == 2
    assert re.search("holds rows of source .{64}; got source", capsys.readouterr().err)
    assert extract("embed_all_but_short_ones") == 2
    assert "holds rows of model own:embed; got model own:" in capsys.readouterr().err
