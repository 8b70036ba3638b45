from collections.abc import Callable
from pathlib import Path

import numpy as np

from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.statistics.speaker_draws import SpeakerDraws

Maker = Callable[..., Path]


def test_draws_take_as_many_speakers_as_there_are(voices: Embeddings) -> None:
    weights = SpeakerDraws(voices, draws=50, seed=0).weights
    assert weights.shape == (50, 12)
    np.testing.assert_array_equal(weights.sum(axis=1), 12)


def test_draws_are_paired_between_models_of_the_same_speakers(make_file: Maker) -> None:
    one = load_embeddings(make_file(name="one", seed=1))
    two = load_embeddings(make_file(name="two", seed=2, dim=5))
    others = load_embeddings(make_file(name="others", speaker=np.repeat(np.arange(12), 6)))
    first, second, third = (SpeakerDraws(x, draws=9, seed=4).weights for x in (one, two, others))
    np.testing.assert_array_equal(first, second)
    assert (first != third).any()
    assert (first != SpeakerDraws(one, draws=9, seed=5).weights).any()


def test_the_mean_of_a_draw_counts_a_speakers_rows_as_often_as_it_is_drawn(
    make_file: Maker,
) -> None:
    speaker = np.repeat(["a", "b", "c"], [10, 20, 42])
    voices = load_embeddings(make_file(speaker=speaker))
    draws = SpeakerDraws(voices, draws=30, seed=0)
    values = np.random.default_rng(0).standard_normal(72)
    for mean, weights in zip(draws.means(values), draws.weights, strict=True):
        rows = np.repeat(np.arange(72), weights[voices.speaker].astype(int))
        np.testing.assert_allclose(mean, values[rows].mean(), atol=1e-12)
