import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.__main__ import main

Maker = Callable[..., Path]
STUDY = """
files = ["voices.npz"]
formats = ["e2m1", "e3m4"]
threshold = -0.25
draws = 7
seed = 3
out = "report"
speed = false
"""


def written(folder: Path, text: str) -> str:
    path = folder / "study.toml"
    path.write_text(text)
    return str(path)


def numbers(folder: Path) -> bytes:
    return (folder / "report" / "metrics.csv").read_bytes()


def test_a_study_file_is_the_options_with_paths_relative_to_it(
    make_file: Maker, tmp_path: Path
) -> None:
    file = make_file(name="voices")
    assert main(["bitdepth", "--study", written(tmp_path, STUDY)]) == 0
    from_study = numbers(tmp_path)
    arguments = [str(file), "--formats", "e2m1,e3m4", "--threshold=-0.25", "--draws", "7"]
    assert main(["bitdepth", *arguments, "--seed", "3", "--out", str(tmp_path / "report")]) == 0
    assert numbers(tmp_path) == from_study
    assert main(["bitdepth", "--study", written(tmp_path, STUDY)]) == 0
    assert numbers(tmp_path) == from_study


def test_a_study_file_may_begin_with_a_byte_order_mark(make_file: Maker, tmp_path: Path) -> None:
    make_file(name="voices")
    assert main(["bitdepth", "--study", written(tmp_path, f"\ufeff{STUDY}")]) == 0


def test_an_option_beside_the_file_counts(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_file(name="voices")
    study = written(tmp_path, STUDY)
    assert main(["bitdepth", "--threshold", "0.5", "--study", study]) == 0
    assert "at threshold 0.500000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 3", r"keys must be among files, trials, .*; got 'sed', to which 'seed' is nearest"),
        ("treshold = 1", "got 'treshold', to which 'threshold' is nearest"),
        ("speed = 1", "speed must be true or false; got 1"),
        ("draws = {}", r"draws must be text, a number or a list; got \{\}"),
        ("seed = true", "seed must be text, a number or a list; got True"),
        (
            "seed =",
            r"study.toml: not a readable TOML file \(Invalid value \(at end of document\)\)\n",
        ),
        (
            "seed = 1\nseed = 2\n",
            r"not a readable TOML file \(Cannot overwrite a value \(at line 2, column 9\)\)\n",
        ),
        ("seed = 1", "at least one FILE of embeddings must be given; got none"),
    ],
)
def test_unusable_study_files_say_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    assert main(["bitdepth", "--study", written(tmp_path, text)]) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err)


def test_an_absent_study_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bitdepth", "--study", str(tmp_path / "absent.toml")]) == 2
    assert "absent.toml: no such file" in capsys.readouterr().err


def test_a_study_file_writes_into_its_own_folder_alone(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_file(name="voices")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    for out in ("../elsewhere", "link", str(tmp_path / "elsewhere"), "report/../../elsewhere"):
        text = STUDY.replace("voices.npz", "../voices.npz").replace('"report"', f'"{out}"')
        study = written(inside, text)
        assert main(["bitdepth", "--study", study]) == 2
        assert "out must lie in the folder of the file; got " in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
    assert main(["bitdepth", "--study", study, "--out", str(tmp_path / "elsewhere")]) == 0
    assert (tmp_path / "elsewhere" / "report.html").exists()


@pytest.mark.parametrize("name", ["--out=elsewhere", "--out=./voices.npz", "--speed"])
def test_a_name_in_a_study_file_is_no_option(
    make_file: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """It would come last, and count more than what the user gave."""
    make_file(name="voices")
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY.replace('["voices.npz"]', f'["voices.npz", "{name}"]'))
    assert main(["bitdepth", "--study", "study.toml", "--out", "mine"]) == 2
    assert "study.toml: files must not begin with a minus; got '--" in capsys.readouterr().err
    assert not Path("elsewhere").exists()
