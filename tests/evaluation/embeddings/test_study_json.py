"""The JSON of the published separation study, and what is no such thing."""

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.recordings.recordings import find_recordings

pytest.importorskip("ijson", reason="ijson is not installed")


def item(speaker: object = "b", audio: object = "b/1.wav", embedding: object = (1.5, -2)) -> Any:
    return {"spk": speaker, "audio": audio, "embedding": embedding}


def written(path: Path, *items: Any, **others: Any) -> Path:
    path.write_text(json.dumps({**others, "data": items}))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "titanet.json"


def test_items_are_rows_grouped_by_speaker(path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    speakers = ["b", "a", "b", 7, "a"]
    items = [
        item(speaker, f"{i}.wav", row.tolist())
        for i, (speaker, row) in enumerate(zip(speakers, rows, strict=True))
    ]
    items[1]["length"] = {"in": [1, {"s": None}]}
    found = load_embeddings(written(path, *items, model="TitaNet", parts=[[1], {"data": [2]}]))
    assert found.name == "titanet"
    assert found.speaker_names == ["7", "a", "b"]
    assert found.utterance == ["3.wav", "1.wav", "4.wav", "0.wav", "2.wav"]
    assert found.file_row is not None
    assert found.file_row.tolist() == [3, 1, 4, 0, 2]
    # Digits that JSON has of float32 give it back.
    np.testing.assert_array_equal(found.rows, rows[found.file_row])


def test_a_byte_order_mark_is_no_matter(path: Path) -> None:
    text = written(path, item()).read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + text)
    assert len(load_embeddings(path)) == 1


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item(), 3], "data[1] must be an object with spk and audio; got a number"),
        ([item(), {"spk": "a"}], "data[1] must have audio; it is missing"),
        ([{"audio": "x"}], "data[0] must have spk; it is missing"),
        ([{"spk": "a", "audio": "x"}], "data[0] must have embedding; it is missing"),
        ([item(speaker=1.5)], "data[0].spk must be text or a whole number; got a number"),
        ([item(speaker=None)], "data[0].spk must be text or a whole number; got null"),
        ([item(speaker=" ")], "data[0].spk must not be empty"),
        ([item(audio=["x"])], "data[0].audio must be text; got a list"),
        ([item(audio=3)], "data[0].audio must be text; got a number"),
        ([item(embedding="1, 2")], "data[0].embedding must be a list of numbers; got text"),
        ([item(embedding=[1, True])], "embedding[1] must be a list of numbers; got true or false"),
        ([item(embedding=[[1, 2]])], "embedding[0] must be a list of numbers; got a list"),
        ([item(embedding=[])], "data[0].embedding must be a list of numbers; it is empty"),
        ([item(embedding=[1, 1e300])], "embedding must be finite in float32; value 1 is not"),
        (
            [item(), item(audio="y", embedding=[1])],
            "data[1].embedding must have 2 values, as that of data[0]; got 1",
        ),
        (
            [item(), item("a"), item()],
            "audio 'b/1.wav' of 'b' must come once; it is in data[0] and in data[2]",
        ),
        ([], "'data' must have items; it has none"),
    ],
)
def test_an_item_that_is_wrong_is_named(path: Path, items: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}$"):
        load_embeddings(written(path, *items))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be an object with 'data'; got a list"),
        ('{"a": 1}', "must be an object with 'data', a list of items"),
        ('{"data": {"spk": 1}}', "data must be a list of items; got an object"),
        ('{"data": [], "data": []}', "'data' must come once"),
        ('{"data": [{"spk": 1, "spk": 2}]}', "data[0].spk must come once"),
        (f'{{"a": {"[" * 9999}{"]" * 9999}, "data": []}}', "it is nested too deep"),
    ],
)
def test_another_form_is_refused(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}$"):
        load_embeddings(path)


def test_what_is_no_json_is_told_with_its_place(path: Path) -> None:
    items = [item(audio=f"{i}", embedding=[0.123456789] * 200) for i in range(4)]
    whole = written(path, *items).read_text()
    for text, place in {
        "": "its beginning",
        "hello": "its beginning",
        whole[: whole.index('"2"') + 1500]: "data[2].embedding",
        whole[:-2]: "data[4]",
        whole.replace("0.123456789]", "NaN]"): "data[0].embedding",
        f"{whole} x": "data[4]",
    }.items():
        path.write_text(text)
        message = f"{path}: must be JSON, in which every number is finite; it is not, or is cut off"
        with pytest.raises(InputError) as caught:
            load_embeddings(path)
        assert str(caught.value).startswith(f"{message}, at {place} or soon after (")


def test_a_file_takes_the_memory_of_its_rows(path: Path) -> None:
    # A row of float32 is a fifth of its digits.
    row = [0.1234567890123456] * 2000
    written(path, *(item(audio=str(i), embedding=row) for i in range(300)))
    load_embeddings(path)
    tracemalloc.start()
    load_embeddings(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows = 300 * 2000 * 4
    # The rows, stacked, as they are looked over; the text is not.
    assert peak < 4 * rows < path.stat().st_size


@pytest.mark.usefixtures("quick_map")
@pytest.mark.parametrize("study", ["bitdepth", "separation"])
def test_a_study_takes_the_json(path: Path, tmp_path: Path, study: str) -> None:
    rng = np.random.default_rng(0)
    rows = [item(f"s{i % 6}", f"{i}", rng.standard_normal(4).tolist()) for i in range(36)]
    written(path, *rows)
    out = str(tmp_path / "out")
    assert main([study, str(path), "--formats", "e2m1", "--draws", "5", "--out", out]) == 0


def test_a_list_of_recordings_is_taken_from_the_json(path: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.wav").write_bytes(b"x")
    found = find_recordings(
        written(path, {"spk": "b", "audio": "b/1.wav"}, {"spk": "b", "audio": "b/2.wav"})
    )
    assert [(one.speaker, one.utterance, one.name) for one in found.recordings] == [
        ("b", "1", "b/1.wav")
    ]
    assert found.recordings[0].path == tmp_path / "b" / "1.wav"
    assert [one.name for one in found.skipped] == ["b/2.wav"]
