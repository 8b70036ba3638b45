"""Recordings that give no row, and how many of them end a run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.embeddings.extracted import read_extracted
from tests.evaluation.extraction.runs import Extract, contents, skipped
from tests.evaluation.recordings.sounds import make_wav


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
    assert list(reasons) == ["s1/02.wav", "s2/00.wav"]
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


def test_what_was_skipped_is_in_the_order_of_its_paths(
    extract: Extract, out: Path, speech: Path
) -> None:
    make_wav(speech / "s1" / "01.wav", samples=500)
    (speech / "s1" / "02.wav").write_text("no sound")
    (speech / "s1" / "0again").symlink_to(speech / "s0")
    assert extract("embed_all_but_short_ones") == 0
    assert list(skipped(out)) == ["s1/01.wav", "s1/02.wav", "s1/0again"]


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
