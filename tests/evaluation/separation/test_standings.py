from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.separation.definitions import Definitions
from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.silhouette import SILHOUETTE
from evaluation.separation.standings import Choice, Standing, choice, standings, wins
from evaluation.separation.study import SeparationStudy, Space, Step, separation_study, steps_of
from evaluation.separation.summary import cautions, summarise

Maker = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("quick_map")


def studied(path: Path) -> SeparationStudy:
    embeddings = load_embeddings(path)
    return separation_study(
        embeddings, steps_of([mf.E2M1], []), definitions=Definitions(), draws=100
    )


@pytest.fixture
def good(make_file: Maker) -> SeparationStudy:
    return studied(make_file(name="good", spread=0.3))


@pytest.fixture
def fair(make_file: Maker) -> SeparationStudy:
    return studied(make_file(name="fair", spread=1.5, seed=1))


@pytest.fixture
def fragile(make_file: Maker) -> SeparationStudy:
    """Best in float32, and without any direction once stored in E2M1 as it is."""
    path = make_file(name="fragile", spread=0.05)
    arrays = dict(np.load(path)) | {"embeddings": 1e-3 * np.load(path)["embeddings"]}
    return studied(make_file(name="fragile", **arrays))


def step(found: list[Standing], label: str, space: Space = Space.COSINE) -> Step:
    return next(
        one.step for one in found if one.step.condition.label == label and one.step.space is space
    )


def test_the_best_model_is_first_by_every_metric(
    good: SeparationStudy, fair: SeparationStudy
) -> None:
    for order in ([good, fair], [fair, good]):
        found = standings(order)
        assert {tuple(one.models) for one in found} == {("good", "fair")}
        assert {choice(found, one.step) for one in found} == {Choice.ORDER_KEPT}
        assert wins(found, found[0].step.condition) == {"good": 2 * len(METRICS)}


def test_a_lead_is_the_difference_with_its_own_interval(
    good: SeparationStudy, fair: SeparationStudy
) -> None:
    for one in standings([good, fair]):
        ahead, behind = (
            next(r for r in study.results if r.step == one.step) for study in (good, fair)
        )
        difference = ahead.row[one.metric].value - behind.row[one.metric].value
        assert one.lead.value == pytest.approx(abs(difference))
        assert one.lead.low <= one.lead.value <= one.lead.high
    silhouette = next(one for one in standings([good, fair]) if one.metric is SILHOUETTE)
    assert silhouette.lead.is_clear


def test_a_format_that_changes_the_best_model_is_named(
    fragile: SeparationStudy, good: SeparationStudy
) -> None:
    found = standings([fragile, good])
    assert choice(found, step(found, "E2M1 scaled")) is Choice.ORDER_KEPT
    assert choice(found, step(found, "E2M1")) is Choice.CHANGED
    changed = [one for one in found if one.step == step(found, "E2M1") and one.overtaken]
    assert {one.overtaken[0].first for one in changed} == {"good"}
    text = summarise([fragile, good], found)
    assert "changes which model is best by some measure in E2M1: clearly so in E2M1" in text


def test_places_below_the_best_may_change(
    fragile: SeparationStudy, good: SeparationStudy, make_file: Maker
) -> None:
    best = studied(make_file(name="best", spread=0.01))
    found = standings([good, fragile, best])
    assert choice(found, step(found, "E2M1")) is Choice.BEST_KEPT


def test_the_summary_names_the_best_and_what_storing_changes(
    good: SeparationStudy, fair: SeparationStudy
) -> None:
    text = summarise([good, fair], standings([good, fair]))
    every = 2 * len(METRICS)
    assert "Of 2 models on 72 recordings of 12 speakers, good keeps speakers apart best" in text
    assert f"first by {every} of {every} measures" in text
    assert "changes the best model by none of these measures, down to 4 bits" in text


def test_one_model_is_summarised_alone(good: SeparationStudy) -> None:
    text = summarise([good], [])
    assert "stored in E2M1 it is 0." in text
    assert "stored in E2M1 scaled it is 0." in text


def test_recordings_without_names_are_told_apart_by_their_speakers(
    good: SeparationStudy, make_file: Maker
) -> None:
    same = studied(make_file(name="unnamed", utterance=None))
    assert not any("do not hold the same recordings" in one for one in cautions([good, same]))
    fewer = studied(make_file(name="fewer", utterances=5, utterance=None))
    assert "do not hold the same recordings" in cautions([good, fewer])[0]


def test_the_reader_is_cautioned(good: SeparationStudy, make_file: Maker) -> None:
    others = studied(make_file(name="others", utterance=np.arange(72).astype(str)))
    points = cautions([good, others])
    assert "do not hold the same recordings" in points[0]
    assert "good: with 12 speakers the intervals are too narrow" in points[1]
    assert any("fewer than 25.00\N{NO-BREAK SPACE}% have such a vector" in one for one in points)
