"""What files of embeddings are called, and who speaks in those of Kaldi."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.command.model_files import ModelFile

Maker = Callable[..., Path]
QUICK = ("--formats", "e2m1", "--draws", "5")


def models(folder: Path) -> set[str]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {row["model"] for row in csv.DictReader(file)}


def error(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("a/voices.npz", "a/voices.npz", "voices"),
        ("first=a/voices.npz", "a/voices.npz", "first"),
        ("x vector=a/b=c.npz", "a/b=c.npz", "x vector"),
        ("a/rate=1/voices.npz", "a/rate=1/voices.npz", "voices"),
        ("=voices.npz", "=voices.npz", "=voices"),
    ],
)
def test_a_name_stands_before_its_file(text: str, path: str, name: str) -> None:
    file = ModelFile.parse(text)
    assert file == ModelFile(Path(path), name)
    assert ModelFile.parse(str(file)) == file
    assert ModelFile.parse_in(Path("in"), text) == ModelFile(Path("in") / path, name)


def test_a_file_whose_name_has_an_equals_sign_is_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rate=1.npz").touch()
    assert ModelFile.parse("rate=1.npz") == ModelFile(Path("rate=1.npz"), "rate=1")


@pytest.mark.usefixtures("quick_map")
@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_files_of_one_name_are_studied_under_names_of_their_own(
    study: str, make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = str(make_file()), str(make_file(name="other", seed=1))
    out = tmp_path / "report"
    assert main([study, f"one={first}", f"two={second}", *QUICK, "--out", str(out)]) == 0
    assert models(out) == {"one", "two"}
    assert {path.name.split("-")[0] for path in out.glob("*-*.svg")} == {"one", "two"}
    assert "one" in capsys.readouterr().out


@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_names_are_looked_at_before_files(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = [str(tmp_path / folder / "xvector.scp") for folder in "ab"]
    assert main([study, *absent]) == 2
    assert error(capsys) == (
        "error: names of models must differ, outputs carry them; got xvector twice: "
        "NAME=FILE names a model otherwise than its file\n"
    )
    assert main([study, f"b={absent[0]}", absent[1]]) == 2
    assert error(capsys) == (
        f"error: {tmp_path}/a/utt2spk: no such file; --utt2spk names one elsewhere\n"
    )


def test_names_of_models_and_lists_together_are_looked_at_before_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = [f"--trials={tmp_path / folder / 'list.txt'}" for folder in "ab"]
    assert main(["bitdepth", str(tmp_path / "voices.npz"), *lists]) == 2
    assert "names of models with lists must differ, outputs carry them; got voices-list twice" in (
        error(capsys)
    )


def test_a_study_file_names_models_and_their_speakers(make_file: Maker, tmp_path: Path) -> None:
    make_file()
    study = tmp_path / "study.toml"
    study.write_text('files = ["one=voices.npz"]\nformats = "e2m1"\ndraws = 5\nout = "report"\n')
    assert main(["bitdepth", "--study", str(study)]) == 0
    assert models(tmp_path / "report") == {"one"}


def kaldi_text(path: Path, speakers: int = 6, utterances: int = 3) -> list[str]:
    """Writes an archive of text, and returns the lines of its utt2spk."""
    rng = np.random.default_rng(0)
    names = [(f"s{i}", f"s{i}-u{j}") for i in range(speakers) for j in range(utterances)]
    path.write_text(
        "".join(f"{name} [ {' '.join(map(str, rng.normal(size=8)))} ]\n" for _, name in names)
    )
    return [f"{name} {speaker}" for speaker, name in names]


@pytest.mark.usefixtures("quick_map")
@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_speakers_of_archives_may_lie_elsewhere(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, elsewhere = tmp_path / "xvector.ark", tmp_path / "data" / "speakers"
    lines = kaldi_text(archive)
    arguments = [study, str(archive), *QUICK, "--out", str(tmp_path / "report")]
    assert main(arguments) == 2
    assert error(capsys) == (
        f"error: {tmp_path}/utt2spk: no such file; --utt2spk names one elsewhere\n"
    )
    elsewhere.parent.mkdir()
    elsewhere.write_text("\n".join(lines) + "\n")
    assert main([*arguments, "--utt2spk", str(elsewhere)]) == 0
    assert models(tmp_path / "report") == {"xvector"}
    elsewhere.write_text("\n".join(lines[:-1]) + "\n")
    assert main([*arguments, "--utt2spk", str(elsewhere)]) == 2
    assert f"{elsewhere}: no speaker for utterance 's5-u2'" in error(capsys)
    elsewhere.unlink()
    assert main([*arguments, "--utt2spk", str(elsewhere)]) == 2
    assert f"{elsewhere}: no such file\n" in error(capsys)


def test_speakers_of_a_cohorts_archive_may_lie_elsewhere(make_file: Maker, tmp_path: Path) -> None:
    archive, elsewhere = tmp_path / "xvector.ark", tmp_path / "speakers"
    elsewhere.write_text("\n".join(kaldi_text(archive)) + "\n")
    arguments = [f"--cohort={archive}", f"--utt2spk={elsewhere}", f"--out={tmp_path / 'report'}"]
    assert main(["bitdepth", str(make_file(dim=8)), *QUICK, *arguments]) == 0
    words = "scores normalised by all 6 speakers of xvector.ark"
    assert words in (tmp_path / "report" / "metrics.csv").read_text()


def test_speakers_of_no_archive_are_refused(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voices, speakers = make_file(), tmp_path / "speakers"
    for study in ("bitdepth", "separation"):
        assert main([study, str(voices), "--utt2spk", str(speakers)]) == 2
        assert re.escape(error(capsys)) == re.escape(
            "error: --utt2spk tells the speakers of .ark and .scp files; "
            f"got {speakers} and {voices}, which has its own\n"
        )


def test_archives_match_lists_of_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "xvector.ark"
    (tmp_path / "utt2spk").write_text("\n".join(kaldi_text(archive)) + "\n")
    trials = tmp_path / "list.txt"
    trials.write_text("1 s0/u0.wav s0/u1.wav\n0 s0/u0.wav s1/u2.wav\n")
    arguments = [str(archive), "--trials", str(trials), *QUICK, "--out", str(tmp_path / "report")]
    assert main(["bitdepth", *arguments]) == 0
    assert "1 target and 1 non-target" in capsys.readouterr().out
