from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.statistics import identification as identification_module
from evaluation.statistics.estimates import interval
from evaluation.statistics.identification import Identification, IdentificationRates
from evaluation.stored import scorers
from evaluation.stored.conditions import conditions
from evaluation.stored.conversion import convert
from evaluation.stored.scorers import FloatScorer

Maker = Callable[..., Path]


def found(embeddings: Embeddings, rows: NDArray[np.float32]) -> IdentificationRates:
    """What `rows` find, compared with what the embeddings themselves find."""
    one = Identification(embeddings, draws=50, seed=0)
    one.find(FloatScorer(torch.from_numpy(embeddings.rows)))
    return one.find(FloatScorer(torch.from_numpy(rows)))


def test_shares_are_those_of_a_full_sort(voices: Embeddings) -> None:
    noise = np.random.default_rng(1).standard_normal(voices.rows.shape).astype(np.float32)
    nearest = []
    for rows in (voices.rows, voices.rows + noise):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -2)
        nearest.append(np.argsort(-cosine, axis=1)[:, :10])
    same = voices.speaker[nearest[1]] == voices.speaker[:, None]
    kept = [len(set(a) & set(b)) / 10 for a, b in zip(*nearest, strict=True)]
    outcome = found(voices, voices.rows + noise)
    assert outcome.top1 == pytest.approx(same[:, 0].mean())
    assert outcome.top5 == pytest.approx(same[:, :5].any(axis=1).mean())
    assert outcome.recall10 == pytest.approx(np.mean(kept))
    assert 0 < outcome.recall10 < 1
    low, high = interval(outcome.top1_draws)
    assert low < outcome.top1 < high


def test_the_reference_finds_itself(voices: Embeddings) -> None:
    assert found(voices, voices.rows).recall10 == 1


def test_a_neighbour_that_ties_with_the_tenth_of_float32_counts(make_file: Maker) -> None:
    """Each recording is there thirty times: any ten of its copies are the nearest ten."""
    copied = np.repeat(load_embeddings(make_file()).rows, 30, axis=0)
    voices = load_embeddings(
        make_file(embeddings=copied, speaker=np.arange(len(copied)) // 180, utterance=None)
    )
    one = Identification(voices, draws=5, seed=0)
    outcomes = [
        one.find(convert(voices, condition).scorer) for condition in conditions([mf.E4M3, mf.E2M1])
    ]
    assert [outcome.recall10 for outcome in outcomes] == [1] * len(outcomes)
    assert all((outcome.recall10_draws == 1).all() for outcome in outcomes)


def test_who_ties_by_the_rows_as_they_are_stored_alone_is_not_found(voices: Embeddings) -> None:
    assert found(voices, np.ones_like(voices.rows)).recall10 < 0.5


def test_who_has_one_recording_is_not_looked_for(make_file: Maker) -> None:
    speaker = np.array(["a"] * 3 + ["b"] * 3 + ["c"])
    rows = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    utterance = np.arange(7).astype(str)
    path = make_file(embeddings=rows, speaker=speaker, utterance=utterance)
    assert Identification(load_embeddings(path), draws=2, seed=0).queries == 6


def test_many_recordings_are_sampled(voices: Embeddings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identification_module, "QUERIES", 20)
    one = Identification(voices, draws=2, seed=0)
    assert one.queries == 20
    assert one.find(FloatScorer(torch.from_numpy(voices.rows))).recall10 == 1


def test_what_has_no_score_is_found_nowhere(voices: Embeddings) -> None:
    outcome = found(voices, np.full_like(voices.rows, np.nan))
    assert outcome.recall10 <= 10 / len(voices)


def test_the_nearest_rows_are_the_same_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((500, 16)).astype(np.float32)
    scorer = FloatScorer(torch.from_numpy(rows))
    asked = np.arange(0, 500, 7)
    whole = scorer.nearest(asked, 11)
    # The last block has fewer rows than are asked for.
    monkeypatch.setattr(scorers, "COLUMNS", 61)
    np.testing.assert_array_equal(scorer.nearest(asked, 11), whole)
