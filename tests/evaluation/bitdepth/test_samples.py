"""What the shipped samples show: one model that hardly changes, one that needs scaling."""

from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.values import UNDERFLOW
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import Verdict, format_verdicts, verdict
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
    assert good[0].startswith("Take E2M1 scaled, 96 bytes a vector instead of 768, 8.0 times")
    assert any(
        point.startswith("Shown to stay within the tolerance as they are: E2M3. ") for point in good
    )
    assert any(point.startswith("E2M1 needs scaling") for point in good)
    assert bad[0].startswith("Take E2M3 scaled, 192 bytes a vector instead of 1024, 5.3 times")
    assert any(
        point.startswith("E2M1 is not shown to keep the threshold: it rejects 71.47")
        and "Scale it and set the threshold anew, near 0.65" in point
        for point in bad
    )


def test_within_a_tolerance_of_everything_is_every_format(ge2e: BitdepthStudy) -> None:
    for one in format_verdicts(ge2e, tolerance=Tolerance(points=1, share=1000)):
        assert one.verdict_as_is is one.verdict_scaled is Verdict.WITHIN
