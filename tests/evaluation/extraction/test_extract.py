import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.embeddings.extracted import read_extracted
from evaluation.extraction import progress
from tests.evaluation.extraction.runs import Extract, contents


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
