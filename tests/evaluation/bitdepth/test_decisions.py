from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import det_curve

import minifloat as mf
from evaluation.bitdepth.metrics.detection_cost import MIN_DCF
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.same_decision import (
    FLIPPED_NONTARGETS,
    FLIPPED_TARGETS,
    SAME_DECISION,
)
from evaluation.bitdepth.metrics.values import OVERFLOW
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.overflow import first_to_overflow, overflows
from evaluation.bitdepth.study import bitdepth_study
from evaluation.embeddings.embeddings import Embeddings
from evaluation.stored.conditions import Condition, conditions
from evaluation.stored.conversion import convert
from tests.evaluation.bitdepth.tasks import all_pairs

THRESHOLD = 0.25


def test_flipped_decisions_are_counted_pair_by_pair(voices: Embeddings) -> None:
    point = OperatingPoint(score=THRESHOLD)
    outcome = bitdepth_study(all_pairs(voices, operating_point=point), draws=30)
    every = slice(0, None)
    i, j = np.triu_indices(len(voices), 1)
    same = voices.speaker[i] == voices.speaker[j]
    accepted = []
    for result in outcome.results:
        scores = convert(voices, result.condition).scorer.block(every, every)[i, j]
        accepted.append(scores >= np.float32(THRESHOLD))
        flipped = accepted[-1] != accepted[0]
        assert result.row[FLIPPED_TARGETS] == (flipped & same).sum()
        assert result.row[FLIPPED_NONTARGETS] == (flipped & ~same).sum()
        assert result.row[SAME_DECISION].value == pytest.approx(1 - flipped.mean())
        assert result.row[SAME_DECISION].low <= result.row[SAME_DECISION].high <= 1
    assert outcome.results[-2].row[FLIPPED_NONTARGETS] > 0
    assert outcome.float32[SAME_DECISION].low == 1


@pytest.mark.parametrize("prior", [0.01, 0.05])
def test_detection_costs_are_those_of_a_det_curve(voices: Embeddings, prior: float) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[], draws=30)
    every = slice(0, None)
    i, j = np.triu_indices(len(voices), 1)
    scores = convert(voices, outcome.results[0].condition).scorer.block(every, every)[i, j]
    far, frr, _ = det_curve(voices.speaker[i] == voices.speaker[j], scores)
    # det_curve leaves out the end where everything is rejected, whose cost is 1.
    expected = min(1, (prior * frr + (1 - prior) * far).min() / prior)
    cost = outcome.float32[MIN_DCF[prior]]
    assert cost.value == pytest.approx(expected, abs=1e-6)
    assert cost.low <= cost.value <= cost.high


def test_what_overflows_is_studied_without_saturation_too(voices: Embeddings) -> None:
    stretched = replace(voices, rows=voices.rows * (20 / np.abs(voices.rows).max()))
    outcome = bitdepth_study(all_pairs(stretched), formats=[mf.E3M4, mf.E2M1], draws=10)
    labels = [result.condition.label for result in outcome.results]
    ways = ("scaled", "scaled by the maximum", "framed")
    e3m4, e2m1 = ([f"{name} {way}" for way in ways] for name in ("E3M4", "E2M1"))
    assert labels[3:] == ["E3M4", "E3M4 unsaturated", *e3m4, "E2M1", *e2m1]
    saturated, unsaturated = (
        outcome.result(Condition(format=mf.E3M4, saturate=way)).row for way in (True, False)
    )
    assert saturated[OVERFLOW] == unsaturated[OVERFLOW] > 0
    # A vector with an infinite value is never accepted.
    assert unsaturated[FRR].value > saturated[FRR].value
    assert unsaturated[FAR].value < saturated[FAR].value


def test_conditions_without_saturation_are_named() -> None:
    labels = [one.label for one in conditions([mf.E3M4], unsaturated=[mf.E3M4])]
    assert labels[3:] == ["E3M4", "E3M4 unsaturated", "E3M4 scaled", "E3M4 framed"]


def test_overflow_costs_pairs_only_where_nothing_saturates(voices: Embeddings) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[mf.E3M4], draws=30)
    found = overflows(outcome, mf.E3M4, draws=30, seed=0)
    assert [one.largest for one in found[::2]] == [15.5, 19.375, 23.25, 31]
    assert found[0].values == found[0].vectors == 0
    for saturated, unsaturated in zip(found[::2], found[1::2], strict=True):
        assert saturated.vectors == unsaturated.vectors
        # Only pairs of one speaker that have a vector with infinity are rejected besides.
        assert saturated.frr.value <= unsaturated.frr.value
        assert unsaturated.frr.change <= saturated.frr.change + 2 * unsaturated.vectors + 0.1
    assert found[-1].frr.change_low > 0


def test_the_first_format_to_overflow_is_the_narrowest_with_infinity() -> None:
    assert first_to_overflow(mf.FORMATS) is mf.E3M4
    assert first_to_overflow([mf.E2M1]) is None
