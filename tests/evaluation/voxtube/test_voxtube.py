"""The recipe of voxtube-ru, on made-up copies of the data set of each kind."""

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from evaluation.__main__ import main
from evaluation.recordings.recordings import find_recordings
from evaluation.voxtube import run as run_module
from evaluation.voxtube.sounds import as_wav

Clip = tuple[str, Any, bytes]
Make = Callable[[Path, Sequence[Clip]], Path]


def sound(seed: int, *, format: str = "WAV", rate: int = 16000) -> bytes:
    noise = np.random.default_rng(seed).uniform(-0.1, 0.1, 800)
    file = io.BytesIO()
    soundfile.write(file, noise, rate, format=format)
    return file.getvalue()


def parquet(folder: Path, clips: Sequence[Clip]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    # The second shard of the split, and one of another split, which comes first by its name.
    shards = {
        "train-00000-of-00002": clips[: len(clips) // 2],
        "train-00001-of-00002": clips[len(clips) // 2 :],
        "test-00000-of-00001": [("other", "russian", sound(99))] * 3,
    }
    (folder / "data").mkdir(parents=True)
    for name, part in shards.items():
        columns = {
            "upload_date": ["20200101"] * len(part),
            "language": [language for _, language, _ in part],
            "spk_id": [speaker for speaker, _, _ in part],
            "audio": [{"bytes": content, "path": "x.wav"} for _, _, content in part],
        }
        table = pyarrow.table(columns)
        parquet.write_table(table, folder / "data" / f"{name}.parquet", row_group_size=3)
    return folder


def listed(folder: Path, clips: Sequence[Clip], end: str) -> Path:
    folder.mkdir(parents=True)
    lines = []
    for number, (speaker, language, content) in enumerate(clips):
        (folder / f"{number}.wav").write_bytes(content)
        lines.append({"spk_id": speaker, "language": language, "audio": f"{number}.wav"})
    path = folder / f"clips{end}"
    if end == ".csv":
        texts = ["spk_id,language,audio", *(",".join(map(str, one.values())) for one in lines)]
    else:
        texts = [json.dumps(one) for one in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


@pytest.fixture(params=["parquet", ".csv", ".jsonl"])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "parquet":
        return parquet
    return lambda folder, clips: listed(folder, clips, request.param)


# In turn: `few` has two clips in Russian, `en` none; one of `b` cannot be read.
SPEAKERS = ["a", "b", "few", "a", "b", "a", "en", "b", "a", "few", "b", "a", "b"]
CLIPS: list[Clip] = [
    (speaker, "english" if speaker == "en" or place == 1 else "russian", sound(place))
    for place, speaker in enumerate(SPEAKERS)
]
CLIPS[4] = ("b", "russian", b"RIFF\0\0\0\0WAVEnothing")
# The places of the first three of each speaker that can be read, in Russian.
FIRST: dict[str, tuple[int, ...]] = {"a": (0, 3, 5), "b": (7, 10, 12)}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def expected(first: dict[str, tuple[int, ...]]) -> dict[str, bytes]:
    return {
        f"{speaker}/{number}.wav": CLIPS[place][2]
        for speaker, places in first.items()
        for number, place in enumerate(places, start=1)
    }


def test_what_else_lies_among_unfinished_folders_stays(make: Make, tmp_path: Path) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    other = out.with_name("ru.unfinished") / "notes" / "mine.txt"
    other.parent.mkdir(parents=True)
    other.write_text("kept")
    assert main(["voxtube", str(data), str(out), "--clips", "3"]) == 0
    assert contents(out) == expected(FIRST)
    assert other.read_text() == "kept"


def test_the_first_clips_of_each_speaker_are_written_in_order(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    assert main(["voxtube", str(data), str(out), "--clips", "3"]) == 0
    assert contents(out) == expected(FIRST)
    assert not out.with_name("ru.unfinished").exists()
    told = capsys.readouterr().out
    for part in (
        "has 6 clips of 2 speakers",
        "2 clips of other languages",
        # Two of `a`, and the unreadable one of `b`.
        "3 clips beyond the first 3 of a speaker, or unreadable",
        "2 clips of 1 speakers with fewer",
        "1 clips among these that could not be read:",
    ):
        assert part in told
    assert re.search(r"    \S+, (row|line) \d+: cannot be decoded", told)
    assert [one.speaker for one in find_recordings(out).recordings] == ["a"] * 3 + ["b"] * 3


def test_speakers_with_fewer_clips_may_be_kept(make: Make, tmp_path: Path) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    assert main(["voxtube", str(data), str(out), "--clips", "3", "--keep-few"]) == 0
    assert contents(out) == expected(FIRST | {"few": (2, 9)})


def test_a_clip_that_cannot_be_read_may_cost_a_speaker(make: Make, tmp_path: Path) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    assert main(["voxtube", str(data), str(out), "--clips", "4"]) == 0
    assert contents(out) == expected({"a": (0, 3, 5, 8)})


@pytest.mark.parametrize("stop", range(6))
def test_an_interrupted_run_is_gone_on_with(
    make: Make, tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    arguments = ["voxtube", str(data), str(out), "--clips", "3"]
    left = [stop]

    def until(content: bytes) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return as_wav(content)

    monkeypatch.setattr(run_module, "as_wav", until)
    assert main(arguments) == 130
    # No speaker stands under a name before all is there.
    assert contents(out) == {}
    unfinished = out.with_name("ru.unfinished")
    before = {path: path.stat().st_mtime_ns for path in unfinished.rglob("*.wav")}
    monkeypatch.setattr(run_module, "as_wav", as_wav)
    assert main(arguments) == 0
    assert contents(out) == expected(FIRST)
    for path, changed in before.items():
        assert (out / path.relative_to(unfinished)).stat().st_mtime_ns == changed


def test_a_finished_run_reads_no_sound_again_and_a_larger_one_goes_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = make(tmp_path / "copy", CLIPS), tmp_path / "ru"
    arguments = ["voxtube", str(data), str(out), "--keep-few", "--clips"]
    assert main([*arguments, "2"]) == 0
    before = (out / "a" / "1.wav").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "as_wav", None)
        assert main([*arguments, "2"]) == 0
    assert main([*arguments, "3"]) == 0
    assert contents(out) == expected(FIRST | {"few": (2, 9)})
    assert (out / "a" / "1.wav").stat().st_mtime_ns == before


def test_columns_and_the_split_are_named_by_options(tmp_path: Path) -> None:
    data = parquet(tmp_path / "copy", CLIPS)
    out = tmp_path / "test"
    assert main(["voxtube", str(data), str(out), "--split", "test", "--clips", "3"]) == 0
    assert [*contents(out)] != []
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps({"who": 7, "lang": "de", "file": "1.wav"}) + "\n")
    (tmp_path / "1.wav").write_bytes(sound(1))
    names = ["--speaker-column", "who", "--language-column", "lang", "--audio-column", "file"]
    arguments = ["--language", "de", "--clips", "1", *names]
    assert main(["voxtube", str(path), str(tmp_path / "de"), *arguments]) == 0
    assert contents(tmp_path / "de") == {"7/1.wav": sound(1)}


def test_other_kinds_of_sound_become_wav(tmp_path: Path) -> None:
    for format in ("FLAC", "OGG", "MP3"):
        found, rate = soundfile.read(io.BytesIO(as_wav(sound(1, format=format, rate=48000))))
        assert rate == 16000
        # A third of the samples; MP3 adds some to both ends.
        assert 800 / 3 - 1 <= len(found) < 800 / 3 + (1500 if format == "MP3" else 1)
    samples, _ = soundfile.read(io.BytesIO(sound(1)))
    found, _ = soundfile.read(io.BytesIO(as_wav(sound(1, format="FLAC"))))
    np.testing.assert_allclose(found, samples, atol=2**-15)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.jsonl", '{"spk_id": 1}', "line 1: must have spk_id, .*; language and audio missing"),
        ("x.jsonl", "[1]", "line 1: must be a JSON object"),
        ("x.jsonl", '{"spk_id": 1', "not a readable list"),
        ("x.jsonl", '{"spk_id": 1.5, "language": "x", "audio": "y"}', "must be text or a whole"),
        ("x.jsonl", '{"spk_id": " ", "language": "x", "audio": "y"}', "spk_id must not be empty"),
        ("x.jsonl", '{"spk_id": 1, "language": "x", "audio": 3}', "audio must be a path; got 3"),
        ("x.csv", "spk_id,language,audio\n1,german,y\n", "the language 'russian'; found german"),
        ("x.csv", "spk_id,language,audio\n../x,russian,y\n", "a speaker's name must be letters"),
        ("x.csv", "spk_id,language,audio\n..,russian,y\n", "a speaker's name must be letters"),
        ("x.txt", "", "must be a folder, or end in .parquet, .csv or .jsonl"),
        ("x.parquet", "PAR1 and no more", "not a readable Parquet file"),
    ],
)
def test_a_copy_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, message: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = tmp_path / name
    path.write_text(text)
    assert main(["voxtube", str(path), str(tmp_path / "out"), "--clips", "1"]) == 2
    told = capsys.readouterr().err
    assert re.search(f"^error: .*{message}", told), told
    assert not (tmp_path / "x").exists()


def test_a_folder_without_the_split_or_the_columns_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = parquet(tmp_path / "copy", CLIPS)
    for option, message in {
        "--split=dev": "must hold .parquet files that begin with 'dev'.*; found test-00000",
        "--speaker-column=speaker": "speaker missing, found upload_date, language, spk_id, audio",
    }.items():
        assert main(["voxtube", str(data), str(tmp_path / "out"), option]) == 2
        assert re.search(message, capsys.readouterr().err)


def test_folders_are_not_made_through_a_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = listed(tmp_path / "copy", CLIPS, ".csv")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ru.unfinished").symlink_to(tmp_path / "elsewhere")
    assert main(["voxtube", str(data), str(tmp_path / "ru"), "--clips", "3"]) == 2
    assert "is a link" in capsys.readouterr().err
    assert [*(tmp_path / "elsewhere").iterdir()] == []
