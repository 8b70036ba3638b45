import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.embeddings.extracted import read_extracted
from evaluation.extraction import progress
from evaluation.extraction.journal import folder_of
from tests.evaluation.recordings.sounds import make_wav
from tests.support.paths import ROOT

Extract = Callable[..., int]


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


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.parent.iterdir()}


def skipped(out: Path) -> dict[str, str]:
    path = out.with_name("voices-skipped.csv")
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {line["path"]: line["reason"] for line in csv.DictReader(file)}


def test_rows_and_manifest_are_in_order_and_the_studies_read_them(
    extract: Extract, out: Path, speech: Path
) -> None:
    assert extract() == 0
    assert set(contents(out)) == {"voices.safetensors", "voices.csv"}
    found = read_extracted(out)
    assert [(e.speaker, e.utterance) for e in found.entries] == [
        (f"s{place // 4}", f"{place % 4:02}") for place in range(12)
    ]
    assert found.rows[:, 2].tolist() == [3000 + 10 * place for place in range(12)]
    assert found.entries[1].seconds == pytest.approx(3010 / 16000, abs=1e-3)
    assert found.entries[1].path == "s0/01.wav"
    assert found.entries[1].bytes == (speech / "s0/01.wav").stat().st_size
    loaded = load_embeddings(out)
    assert (loaded.name, loaded.dim, loaded.speaker_names) == ("voices", 4, ["s0", "s1", "s2"])
    np.testing.assert_array_equal(loaded.rows, found.rows)


def test_the_bit_depth_study_runs_on_what_was_extracted(
    extract: Extract, out: Path, tmp_path: Path
) -> None:
    assert extract() == 0
    options = ["--draws", "5", "--formats", "e2m1", "--out", str(tmp_path / "report")]
    assert main(["bitdepth", str(out), *options]) == 0


@pytest.mark.parametrize("batch", ["1", "5", "100"])
def test_the_size_of_batches_changes_nothing(
    extract: Extract, out: Path, calls: Callable[[], list[int]], batch: str
) -> None:
    assert extract() == 0
    first = contents(out)
    for path in out.parent.iterdir():
        path.unlink()
    assert extract("embed", "--batch", batch) == 0
    assert contents(out) == first
    assert len(calls()) == 24


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


def test_recordings_that_fail_are_listed_and_tried_again(
    extract: Extract,
    out: Path,
    speech: Path,
    calls: Callable[[], list[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (speech / "s1" / "02.wav").write_text("no sound")
    make_wav(speech / "s2" / "00.wav", samples=500)
    assert extract("embed_all_but_short_ones") == 0
    assert len(read_extracted(out).rows) == 10
    reasons = skipped(out)
    assert reasons["s1/02.wav"].startswith("cannot be decoded: ")
    assert reasons["s2/00.wav"] == "cannot be embedded: too short"
    assert len(reasons) == 2
    printed = capsys.readouterr().out
    assert "skipped 2, listed in voices-skipped.csv:\n  s1/02.wav cannot be decoded" in printed
    before = len(calls())
    make_wav(speech / "s1" / "02.wav", samples=4321)
    assert extract("embed_all_but_short_ones") == 0
    assert calls()[before:] == [4321]
    assert len(read_extracted(out).rows) == 11
    assert list(skipped(out)) == ["s2/00.wav"]
    make_wav(speech / "s2" / "00.wav", samples=4500)
    assert extract("embed_all_but_short_ones") == 0
    assert len(read_extracted(out).rows) == 12
    assert skipped(out) == {}


def test_a_link_to_a_folder_of_the_data_is_told_and_changes_no_row(
    extract: Extract, out: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extract() == 0
    before = contents(out)
    (speech / "again").symlink_to(speech / "s1")
    assert extract() == 0
    assert skipped(out) == {"again": "leads to 's1', whose recordings are taken there"}
    assert contents(out).items() > before.items()
    assert "listed in voices-skipped.csv:\n  again leads to 's1'" in capsys.readouterr().out


def test_an_embedding_that_is_not_finite_is_skipped(
    extract: Extract, out: Path, speech: Path
) -> None:
    make_wav(speech / "s0" / "silence.wav", level=0)
    assert extract("embed_silence_as_nan") == 0
    assert skipped(out) == {"s0/silence.wav": "has an embedding that is not finite"}


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


def test_a_model_that_fails_on_everything_says_so(
    extract: Extract, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert extract("embed_nothing") == 2
    message = "none of 12 recordings gave a row; s0/00.wav cannot be embedded: device lost"
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_files_that_cannot_be_read_never_stop_the_run(
    extract: Extract, out: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.extraction.run.FAILURES_IN_A_ROW", 5)
    for path in (speech / "s0").iterdir():
        path.write_text("no sound")
    for name in ("05", "06", "07"):
        (speech / "s0" / f"{name}.wav").write_text("no sound")
    assert extract() == 0
    assert len(skipped(out)) == 7
    assert len(read_extracted(out).rows) == 8


def test_many_failures_in_a_row_stop_the_run(
    extract: Extract, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.extraction.run.FAILURES_IN_A_ROW", 5)
    assert extract("embed_nothing") == 2
    message = "the model failed on 8 recordings in a row, the last, s1/03.wav, cannot be embedded"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("embed_all_at_once", [], r"floats of shape \(1, dim\) .* got float64 of shape \(4,\)"),
        ("absent", [], "--model own:absent: no Python function absent in .*/own.py$"),
        ("constant", [], "--model own:constant: no Python function constant in .*/own.py$"),
        ("embed", ["--model", "time:sleep"], "time:sleep: no Python function sleep in time$"),
        ("embed", ["--batch", "0"], "--batch must be at least 1; got 0"),
        ("embed", ["--out", "x.npz"], "--out must end in .safetensors; got 'x.npz'"),
        ("embed", ["--model", "absent:f"], "no module absent; run where it can be imported"),
        ("embed", ["--model", "titanet"], "model must be one of campplus, .*; got 'titanet'"),
        ("embed", ["--weights", "w.pt"], "--weights is for models by name; got 'w.pt' for 'own:"),
        ("embed", ["--model", "ge2e", "--code", "x"], "--code is for redimnet; ge2e comes with"),
        (
            "embed",
            ["--model", "ge2e", "--device", "abacus"],
            "--device must be one that torch has; got 'abacus': .*: abacus$",
        ),
    ],
)
def test_unusable_options_are_named(
    extract: Extract,
    capsys: pytest.CaptureFixture[str],
    function: str,
    options: list[str],
    message: str,
) -> None:
    assert extract(function, *options) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err, re.MULTILINE)


def test_a_missing_package_is_named_with_its_command(
    extract: Extract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    assert extract() == 2
    message = 'extraction needs soxr, which is not installed; pip install "minifloat[extract]"'
    assert message in capsys.readouterr().err


def test_a_log_gets_the_rate_and_the_time_left(
    extract: Extract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0)
    assert extract() == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "left" in line]
    assert [line.partition(",")[0] for line in lines] == [
        f"{done} of 12 recordings" for done in (4, 8, 12)
    ]
    assert progress.Progress(total=1000, done=100).line(10) == (
        "100 of 1000 recordings, 0.0 a second, unknown left"
    )
    half = progress.Progress(total=1000, done=100)
    half.advance(400)
    assert half.line(10) == "500 of 1000 recordings, 40.0 a second, 00:12 left"
