from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.separation.definitions import Definitions
from evaluation.separation.distances import cosine_distances
from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.oiidd import OIIDD
from evaluation.separation.metrics.silhouette import SILHOUETTE
from evaluation.separation.speaker_map import MapOptions
from evaluation.separation.study import SeparationStudy, Space, separation_study, steps_of
from evaluation.statistics.estimates import interval
from evaluation.statistics.speaker_draws import SpeakerDraws
from evaluation.stored.conditions import Condition
from evaluation.stored.conversion import stored_rows

Maker = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("quick_map")


def studied(embeddings: Embeddings, *, seed: int = 0, draws: int = 100) -> SeparationStudy:
    formats = [mf.E4M3, mf.E2M1]
    definitions = Definitions(map=MapOptions(seed=seed))
    steps = steps_of(formats, [mf.E2M1])
    return separation_study(embeddings, steps, definitions=definitions, draws=draws, seed=seed)


def values(outcome: SeparationStudy) -> list[float]:
    return [r.row[metric].value for r in outcome.results for metric in METRICS]


def test_every_format_is_measured_and_some_are_mapped(voices: Embeddings) -> None:
    steps = [(r.step.condition.label, r.step.space) for r in studied(voices).results]
    formats = [f"{name}{how}" for name in ("E4M3", "E2M1") for how in ("", " scaled", " framed")]
    names = ["float32", "float16", "bfloat16", *formats]
    mapped = ["float32", "E2M1", "E2M1 scaled", "E2M1 framed"]
    assert steps == [(n, Space.COSINE) for n in names] + [(n, Space.MAP) for n in mapped]


def test_speakers_that_are_apart_have_the_best_values(make_file: Maker) -> None:
    near = load_embeddings(make_file(name="near", spread=3.0))
    far = load_embeddings(make_file(name="far", spread=0.01))
    worse, better = (studied(one).float32(Space.COSINE).row for one in (near, far))
    assert better[OIIDD].value < 0.01
    assert better[CCR].value == 0
    assert better[SILHOUETTE].value > 0.99
    assert worse[OIIDD].value > 0.5
    assert worse[CCR].value > 0
    assert worse[SILHOUETTE].value < 0.2


def test_intervals_hold_the_values_and_differences_are_paired(voices: Embeddings) -> None:
    for result in studied(voices).results:
        for metric in METRICS:
            one = result.row[metric]
            assert one.low <= one.value <= one.high
            if result.step.condition.is_float32:
                assert one.change == one.change_low == one.change_high == 0
    silhouette = studied(voices).results[1].row[SILHOUETTE]
    # float16 changes next to nothing, though the silhouette itself is uncertain.
    assert silhouette.change_high - silhouette.change_low < 0.01 * (
        silhouette.high - silhouette.low
    )


def test_the_interval_covers_the_silhouette_of_many_speakers(make_file: Maker) -> None:
    # Speakers on axes of their own: whoever else is drawn, the nearest other one is as far.
    def voices_of(speakers: int, seed: int) -> Embeddings:
        rng = np.random.default_rng(seed)
        spread = rng.uniform(0.1, 0.6, speakers)
        rows = np.repeat(np.eye(speakers, 40), 5, axis=0)
        rows += np.repeat(spread, 5)[:, None] * rng.standard_normal(rows.shape) / 6
        names = np.repeat([f"{i:02}" for i in range(speakers)], 5)
        utterance = np.tile(np.arange(5), speakers)
        return load_embeddings(
            make_file(embeddings=rows, speaker=names, utterance=utterance.astype(str))
        )

    def silhouettes(embeddings: Embeddings) -> NDArray[np.float64]:
        return cosine_distances(embeddings.rows, embeddings.speaker).silhouette

    truth = np.mean([silhouettes(voices_of(30, seed)).mean() for seed in range(1000, 1100)])
    covered = 0
    for seed in range(40):
        few = voices_of(30, seed)
        low, high = interval(SpeakerDraws(few, draws=150, seed=seed).means(silhouettes(few)))
        covered += low <= truth <= high
    # Of 40 intervals that hold with 95 %, fewer than 33 hold with a probability of 1 in 1000.
    assert covered >= 33


def test_one_file_and_seed_give_the_same_numbers_and_another_seed_other_maps(
    voices: Embeddings,
) -> None:
    first, second, third = (studied(voices, seed=seed) for seed in (1, 1, 2))
    assert [r.row for r in first.results] == [r.row for r in second.results]
    assert values(first) != values(third)
    cosine = [r.step.space is Space.COSINE for r in first.results for _ in METRICS]
    assert np.array_equal(np.array(values(first))[cosine], np.array(values(third))[cosine])


def test_the_order_of_rows_in_a_file_changes_nothing(make_file: Maker) -> None:
    path = make_file(name="voices", spread=1.5)
    arrays = dict(np.load(path))
    order = np.random.default_rng(5).permutation(len(arrays["speaker"]))
    shuffled = make_file(name="shuffled", **{name: a[order] for name, a in arrays.items()})
    first, second = (studied(load_embeddings(one)) for one in (path, shuffled))
    np.testing.assert_allclose(values(first), values(second), rtol=1e-5, atol=1e-6)


def test_scaling_rows_changes_no_metric_in_float32(make_file: Maker) -> None:
    path = make_file(name="voices", spread=1.5)
    arrays = dict(np.load(path))
    lengths = np.random.default_rng(0).uniform(0.1, 10, (72, 1)).astype(np.float32)
    longer = make_file(name="longer", **(arrays | {"embeddings": arrays["embeddings"] * lengths}))
    first, second = (
        studied(load_embeddings(one)).float32(Space.COSINE).row for one in (path, longer)
    )
    for metric in METRICS:
        assert first[metric].value == pytest.approx(second[metric].value, 1e-5)


def test_rows_come_back_from_a_format_as_its_values(voices: Embeddings) -> None:
    rows = stored_rows(voices, Condition(format=mf.E2M1))
    assert np.isin(rows, mf.E2M1.values).all()
    np.testing.assert_array_equal(rows, mf.round(voices.rows, mf.E2M1))


def test_rows_that_lose_their_direction_become_zero_and_are_counted(make_file: Maker) -> None:
    rows = np.load(make_file())["embeddings"]
    rows[3], rows[5] = 1e-9, 1e9
    voices = load_embeddings(make_file(embeddings=rows))
    by_label = {r.step.condition.label: r.row.zero_rows for r in studied(voices).results}
    # 1e9 is infinite in float16, 1e-9 is zero there; E2M1 saturates, and scaled keeps both.
    assert (by_label["float32"], by_label["float16"]) == (0, 2)
    assert (by_label["E2M1"], by_label["E2M1 scaled"]) == (1, 0)
