"""What the shipped samples show: one model that hardly changes, one that needs scaling."""

from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.values import UNDERFLOW
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import Verdict, format_verdicts, verdict
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import load_embeddings
from tests.evaluation.bitdepth.tasks import all_pairs

TOLERANCE = Tolerance()


def studied(path: Path) -> BitdepthStudy:
    embeddings = load_embeddings(path)
    return bitdepth_study(all_pairs(embeddings), formats=[mf.E2M3, mf.E2M1], draws=100)


@pytest.fixture(scope="module")
def campplus(samples: Path) -> BitdepthStudy:
    return studied(samples / "so762-campplus.npz")


@pytest.fixture(scope="module")
def ge2e(samples: Path) -> BitdepthStudy:
    return studied(samples / "so762-ge2e.npz")


def row(outcome: BitdepthStudy, label: str) -> ConditionRow:
    return next(r.row for r in outcome.results if r.condition.label == label)


def test_the_samples_hold_the_same_utterances_and_are_small(samples: Path) -> None:
    campplus = load_embeddings(samples / "so762-campplus.npz")
    ge2e = load_embeddings(samples / "so762-ge2e.npz")
    assert campplus.utterance == ge2e.utterance
    np.testing.assert_array_equal(np.bincount(campplus.speaker), np.full(125, 20))
    assert sum(path.stat().st_size for path in samples.glob("*.npz")) < 6_000_000


def test_campplus_hardly_changes(campplus: BitdepthStudy) -> None:
    assert 0.005 < campplus.float32[EER].value < 0.03
    for label in ("E2M3", "E2M3 scaled", "E2M1 scaled"):
        assert verdict(row(campplus, label), tolerance=TOLERANCE) is Verdict.WITHIN
    assert verdict(row(campplus, "E2M1"), tolerance=TOLERANCE) is Verdict.RETUNE


def test_ge2e_collapses_in_e2m1_and_scaling_repairs_it(ge2e: BitdepthStudy) -> None:
    as_it_is, scaled = row(ge2e, "E2M1"), row(ge2e, "E2M1 scaled")
    assert as_it_is[FRR].value > 0.3
    assert verdict(as_it_is, tolerance=TOLERANCE) is Verdict.COSTLY
    assert scaled[FRR].change < 0.03
    assert verdict(scaled, tolerance=TOLERANCE) is Verdict.RETUNE
    assert as_it_is[FRR].change_low > 10 * scaled[FRR].change_high


def test_scaling_saves_small_values_from_becoming_zero(ge2e: BitdepthStudy) -> None:
    assert row(ge2e, "E2M1")[UNDERFLOW] > 4 * row(ge2e, "E2M1 scaled")[UNDERFLOW]


def test_the_summary_tells_both_stories(campplus: BitdepthStudy, ge2e: BitdepthStudy) -> None:
    good, bad = (summary(outcome, tolerance=TOLERANCE) for outcome in (campplus, ge2e))
    assert good[0].startswith("Take E2M1 framed, 100 bytes a vector instead of 768, 7.7 times")
    assert any(
        point.startswith("Shown to stay within the tolerance as they are: E2M3. ") for point in good
    )
    assert any(point.startswith("E2M1 needs scaling") for point in good)
    assert any(point.startswith("Feedback is not tried: of the errors") for point in good)
    assert bad[0].startswith("Take E2M1 framed, feedback, 132 bytes a vector instead of 1024, ")
    assert any(
        point.startswith("E2M1 needs a frame. At the unchanged threshold it rejects 71.47")
        for point in bad
    )


def test_a_frame_keeps_the_decisions_of_float32_in_a_cone_too(samples: Path) -> None:
    for name in ("so762-campplus.npz", "so762-ge2e.npz"):
        task = all_pairs(in_a_cone(load_embeddings(samples / name), 0.98))
        found = bitdepth_study(task, formats=[mf.E2M1, mf.E2M3], draws=5)
        assert found.name.endswith("in a cone")
        for label, most in (("E2M1 framed", 0.002), ("E2M3 framed", 0.0005)):
            for rate in (FAR, FRR):
                assert abs(row(found, label)[rate].change) < most
        for label in ("E2M1", "E2M1 scaled"):
            assert row(found, label)[FRR].change > 0.5


def test_a_format_that_nothing_repairs_is_told_with_its_threshold(ge2e: BitdepthStudy) -> None:
    told = summary(ge2e, tolerance=Tolerance(points=1e-6, share=1e-6))
    (of_e2m1,) = (point for point in told if point.startswith("E2M1 is not shown to keep"))
    assert "% (" in of_e2m1
    assert " framed and " in of_e2m1
    assert " framed, feedback" in of_e2m1


def test_within_a_tolerance_of_everything_is_every_format(ge2e: BitdepthStudy) -> None:
    for one in format_verdicts(ge2e, tolerance=Tolerance(points=1, share=1000)):
        assert all(judged.verdict is Verdict.WITHIN for judged in one.by_preparation.values())
