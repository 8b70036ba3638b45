import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.trials.pairs import AllPairs, checked

Maker = Callable[..., Path]


def test_rows_come_grouped_by_speaker_in_file_order(make_file: Maker) -> None:
    path = make_file(
        embeddings=np.arange(8, dtype=np.float64).reshape(4, 2),
        speaker=np.array(["b", "a", "b", "a"]),
        utterance=np.array(["1", "2", "3", "4"]),
    )
    loaded = load_embeddings(path)
    assert loaded.utterance == ["2", "4", "1", "3"]
    assert loaded.speaker_names == ["a", "b"]
    np.testing.assert_array_equal(loaded.speaker, [0, 0, 1, 1])
    np.testing.assert_array_equal(loaded.rows[:, 0], [2, 6, 0, 4])
    assert loaded.rows.dtype == np.float32


def test_utterances_may_be_left_out(make_file: Maker) -> None:
    loaded = load_embeddings(make_file(utterance=None))
    assert loaded.utterance is None
    assert len(loaded) == 72


def test_speakers_may_be_numbers(make_file: Maker) -> None:
    path = make_file(speaker=np.arange(72) // 6)
    assert load_embeddings(path).speaker_names[:2] == ["0", "1"]


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        (
            {"speaker": None},
            "arrays embeddings and speaker; speaker missing, found embeddings, utterance",
        ),
        ({"embeddings": np.zeros(72, np.float32)}, r"got float32 of shape \(72,\)"),
        ({"embeddings": np.zeros((72, 4), np.int64)}, r"got int64 of shape \(72, 4\)"),
        ({"embeddings": np.zeros((0, 4), np.float32)}, r"got float32 of shape \(0, 4\)"),
        ({"speaker": np.zeros(71)}, r"shape \(72,\); got shape \(71,\)"),
        ({"utterance": np.zeros((72, 1))}, r"shape \(72,\); got shape \(72, 1\)"),
        (
            {"speaker": np.array([object()] * 72)},
            r"voices.npz: speaker holds Python objects; "
            "save it as an array of strings or numbers$",
        ),
    ],
)
def test_unusable_arrays_are_named(
    make_file: Maker, replaced: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_embeddings(make_file(**replaced))


def test_a_row_that_is_not_finite_is_named_by_number_alone(make_file: Maker) -> None:
    rows = np.ones((72, 4))
    rows[7, 1] = np.nan
    with pytest.raises(InputError, match=r"float32; row 7 is not, 1 of 72 rows in all$"):
        load_embeddings(make_file(embeddings=rows, utterance=None))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_row_that_is_not_finite_is_named(make_file: Maker, value: float) -> None:
    rows = np.ones((72, 4))
    rows[[7, 9], 1] = value
    with pytest.raises(InputError, match=r"row 7 \(utterance '001.wav'\) is not, 2 of 72 rows"):
        load_embeddings(make_file(embeddings=rows))


def test_bytes_are_utf8(make_file: Maker) -> None:
    speaker = np.repeat([f"Jürgen {i:02}".encode() for i in range(12)], 6)
    utterance = np.tile([f"ü{i}".encode() for i in range(6)], 12)
    loaded = load_embeddings(make_file(speaker=speaker, utterance=utterance))
    assert loaded.speaker_names[:2] == ["Jürgen 00", "Jürgen 01"]
    assert loaded.utterance is not None
    assert loaded.utterance[:2] == ["ü0", "ü1"]


@pytest.mark.parametrize("name", ["speaker", "utterance"])
@pytest.mark.parametrize(
    ("missing", "shown"),
    [
        (np.nan, "nan"),
        ("nan", "nan"),
        ("NaN", "NaN"),
        ("None", "None"),
        ("NaT", "NaT"),
        ("<NA>", "<NA>"),
        ("", ""),
        (" \t", " \t"),
        (b"", ""),
        (b"nan", "nan"),
    ],
    ids=repr,
)
def test_a_missing_label_is_no_person(
    make_file: Maker, name: str, missing: object, shown: str
) -> None:
    labels = np.repeat(np.arange(12), 6).astype(float if missing is np.nan else type(missing))
    labels = labels.astype(np.result_type(labels, np.array(missing)))
    labels[[3, 8, 40, 71]] = missing
    path = make_file(**{name: labels})
    message = (
        f"{path}: {name} must have a label for every row; 4 of 72 rows have none: "
        f"3 ('{shown}'), 8 ('{shown}'), 40 ('{shown}'), ..."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(path)


def test_a_person_may_be_called_nan_with_a_capital(make_file: Maker) -> None:
    speaker = np.repeat(["Nan", "Null", "NA", "none", "0", "False"], 12)
    assert load_embeddings(make_file(speaker=speaker)).speaker_names == sorted(set(speaker))


def test_a_byte_order_mark_makes_no_other_person(make_file: Maker) -> None:
    speaker = np.array(["\ufeffa", *["a"] * 35, *["b"] * 36])
    assert load_embeddings(make_file(speaker=speaker)).speaker_names == ["a", "b"]


def test_one_speaker_alone_is_refused(make_file: Maker) -> None:
    embeddings = load_embeddings(make_file(speakers=1))
    with pytest.raises(InputError, match="got 15 target and 0 non-target"):
        checked(AllPairs(embeddings), source="voices")
