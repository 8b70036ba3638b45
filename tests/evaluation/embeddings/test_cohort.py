from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.cohort import load_cohort, speaker_rows
from evaluation.embeddings.cone import cone_of
from evaluation.embeddings.embeddings import Embeddings

Maker = Callable[..., Path]


def named(count: int, utterances: int = 6) -> list[str]:
    return [f"c{i:03}" for i in range(count) for _ in range(utterances)]


@pytest.fixture
def make_cohort(make_file: Maker) -> Maker:
    """Writes a cohort of twenty speakers; arrays given by name replace its own."""

    def make(**replaced: Any) -> Path:
        given = {"name": "cohort", "speakers": 20, "seed": 1, "speaker": named(20)} | replaced
        return make_file(**given)

    return make


def test_a_speakers_row_is_the_mean_direction_at_the_mean_length(voices: Embeddings) -> None:
    rows = speaker_rows(voices)
    assert rows.dtype == np.float32
    assert len(rows) == 12
    for speaker, row in enumerate(rows):
        own = voices.rows[voices.speaker == speaker].astype(np.float64)
        lengths = np.linalg.norm(own, axis=1)
        mean = (own / lengths[:, None]).mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean) * lengths.mean(), rtol=1e-5)


def test_every_recording_of_a_speaker_counts_as_much_however_long_its_row(
    voices: Embeddings,
) -> None:
    sizes = np.random.default_rng(0).uniform(0.1, 10, (len(voices), 1)).astype(np.float32)
    before, after = (
        speaker_rows(one) for one in (voices, replace(voices, rows=sizes * voices.rows))
    )
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_a_speaker_of_zeros_has_a_row_of_zeros(voices: Embeddings) -> None:
    rows = voices.rows.copy()
    rows[:6] = 0
    assert not speaker_rows(replace(voices, rows=rows))[0].any()


def test_as_many_count_as_is_said_or_two_hundred_or_all(
    make_cohort: Maker, voices: Embeddings
) -> None:
    assert load_cohort(make_cohort(), voices, top=7).top == 7
    few = load_cohort(make_cohort(), voices)
    assert (few.top, few.words) == (20, "all 20 speakers of cohort.npz")
    many = load_cohort(make_cohort(speakers=210, speaker=named(210)), voices)
    assert (many.top, len(many.rows)) == (200, 210)
    assert many.words == "the 200 nearest of 210 speakers of cohort.npz"


def test_a_cohort_of_a_model_in_a_cone_lies_in_the_same(
    make_cohort: Maker, voices: Embeddings
) -> None:
    cone = cone_of(voices, 0.98)
    rows = load_cohort(make_cohort(), cone.of(voices), cone=cone).rows
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert (unit @ unit.T).min() > 0.9
    axis = cone.offset / np.linalg.norm(cone.offset)
    assert (unit @ axis).min() > 0.95


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"dim": 8}, "a cohort must have the 16 values a row of voices; got 8"),
        (
            {"speakers": 1, "speaker": named(1)},
            "a cohort must have at least 2 speakers; got 1",
        ),
        (
            {"speaker": ["s003"] * 6 + ["s001"] * 6 + named(18)},
            "speakers of a cohort must be none of voices; 2 of 20 are: s001, s003; others who are "
            "called the same need another name",
        ),
        (
            {"speaker": None, "speakers": 12},
            r"must hold the arrays embeddings and speaker; speaker missing",
        ),
        (
            {"embeddings": np.full((120, 16), np.nan, np.float32)},
            r"every value must be finite in float32; row 0 \(utterance '000.wav'\) is not, 120 of",
        ),
    ],
)
def test_unusable_cohorts_are_named(
    make_cohort: Maker, voices: Embeddings, replaced: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=rf"cohort\.npz: {message}"):
        load_cohort(make_cohort(**replaced), voices)


@pytest.mark.parametrize("top", [-1, 0, 1, 21])
def test_a_top_that_is_not_there_is_named(make_cohort: Maker, voices: Embeddings, top: int) -> None:
    message = (
        "as many of the largest scores as --cohort-top says must be at least 2 and at most the 20 "
        f"speakers of the cohort; got {top}$"
    )
    with pytest.raises(InputError, match=message):
        load_cohort(make_cohort(), voices, top=top)
