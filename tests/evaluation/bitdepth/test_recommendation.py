"""Which format is recommended, told from rates alone."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minifloat as mf
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.recommendation import advice, applied, recommendation
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tolerance import FEWEST_SPEAKERS, Tolerance, speakers_needed
from evaluation.bitdepth.verdicts import Verdict, verdict
from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.statistics.estimates import Estimate
from evaluation.stored.conversion import packed
from tests.evaluation.bitdepth.recommended import TOLERANCE, label_of
from tests.evaluation.bitdepth.tasks import all_pairs

Maker = Callable[..., Path]

# Of a float32 rate of 10 %: the points decide.
WITHIN, UNSURE, BEYOND = (0.001, 0.004), (0.001, 0.009), (0.006, 0.009)


def rate(change: tuple[float, float], *, of_float32: float = 0.1) -> Estimate:
    """A rate that has changed by so much, with the end of the change's interval."""
    value = of_float32 + change[0]
    return Estimate(
        value=value,
        low=value,
        high=value,
        change=change[0],
        change_low=2 * change[0] - change[1],
        change_high=change[1],
    )


def unchanged(outcome: BitdepthStudy) -> BitdepthStudy:
    """The study as if no format changed anything."""
    none = rate((0, 0))
    outcome = with_rows(outcome, flipped_targets=0, flipped_nontargets=0)
    return with_rows(outcome, speakers=100, targets=10_000, far=none, frr=none, eer=none)


@pytest.fixture(scope="module")
def base(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory) -> BitdepthStudy:
    voices = load_embeddings(make_file_in(tmp_path_factory.mktemp("voices")))
    formats = [mf.E3M2, mf.E2M3, mf.E2M1]
    return unchanged(bitdepth_study(all_pairs(voices), formats=formats, draws=5))


def with_rows(outcome: BitdepthStudy, *, label: str = "", **columns: Any) -> BitdepthStudy:
    """The study with columns of all rows, or of one, replaced: facts, or what metrics found."""
    results = [
        replace(result, row=with_columns(result.row, columns))
        if label in ("", result.condition.label)
        else result
        for result in outcome.results
    ]
    return replace(outcome, results=results)


def with_columns(row: ConditionRow, columns: dict[str, Any]) -> ConditionRow:
    values = {name: one for name, one in columns.items() if name in row.values}
    facts = {name: one for name, one in columns.items() if name not in values}
    return replace(row, values={**row.values, **values}, **facts)


def row_of(outcome: BitdepthStudy, label: str) -> ConditionRow:
    return next(r.row for r in outcome.results if r.condition.label == label)


def test_the_fewest_bits_are_taken_and_then_the_fewest_flips(base: BitdepthStudy) -> None:
    base = with_rows(base, flipped_targets=5, flipped_nontargets=5)
    base = with_rows(base, label="E2M1 scaled", flipped_targets=4)
    assert label_of(base) == "E2M1 scaled"
    base = with_rows(base, label="E2M1", flipped_targets=0, flipped_nontargets=8)
    assert label_of(base) == "E2M1"


@pytest.mark.parametrize("name", ["far", "frr", "eer"])
@pytest.mark.parametrize("change", [UNSURE, BEYOND, (0.001, math.nan)], ids=str)
def test_each_rate_must_be_shown_to_stay_within_the_tolerance(
    base: BitdepthStudy, name: str, change: tuple[float, float]
) -> None:
    for label in ("E2M1", "E2M1 scaled", "E2M1 framed"):
        base = with_rows(base, label=label, **{name: rate(change)})
        assert speakers_needed(row_of(base, label), TOLERANCE) > 100
    assert label_of(base) == "E3M2"
    more = "E2M1 (4 bits) are within it, but so few speakers and errors do not show it: about"
    assert (more in recommendation(base, tolerance=TOLERANCE)) is (change is not BEYOND)


def test_verdicts_and_the_recommendation_follow_one_rule(base: BitdepthStudy) -> None:
    cases = {
        (WITHIN, WITHIN): Verdict.WITHIN,
        (UNSURE, WITHIN): Verdict.UNSURE,
        (WITHIN, UNSURE): Verdict.UNSURE,
        (BEYOND, WITHIN): Verdict.RETUNE,
        (BEYOND, UNSURE): Verdict.UNSURE,
        (WITHIN, BEYOND): Verdict.COSTLY,
    }
    for (of_frr, of_eer), expected in cases.items():
        outcome = with_rows(base, frr=rate(of_frr), eer=rate(of_eer))
        assert verdict(row_of(outcome, "E2M1"), tolerance=TOLERANCE) is expected
        assert (label_of(outcome) is None) is (expected is not Verdict.WITHIN)


def test_where_no_format_is_shown_it_is_said_why(base: BitdepthStudy) -> None:
    costly = with_rows(base, frr=rate(BEYOND))
    assert recommendation(costly, tolerance=TOLERANCE) == (
        "Stay with float32, 64 bytes a vector: every format costs more than the tolerance "
        f"({TOLERANCE.words}) at the unchanged threshold."
    )
    unsure = with_rows(costly, label="E2M3", frr=rate(UNSURE))
    # The interval reaches 8 above the estimate where there is room for 4: four times the speakers.
    assert recommendation(unsure, tolerance=TOLERANCE) == (
        "Too few speakers to tell: of 100, no format is shown to stay within the tolerance "
        f"({TOLERANCE.words}). The estimates of E2M3 (6 bits) are within it, but so "
        "few speakers and errors do not show it: about 300 speakers more would tell. Until then "
        "stay with float32."
    )


def test_the_advice_is_one_sentence_and_its_code_stores_what_was_studied(
    base: BitdepthStudy,
) -> None:
    costs = with_rows(base, frr=rate((0.001, 0.002)))
    float32 = row_of(costs, "float32")
    costs = with_rows(costs, label="float32", frr=rate((0, 0)))
    assert advice(costs, tolerance=TOLERANCE).replace("\N{NO-BREAK SPACE}", " ") == (
        f"Take E2M1, 8 bytes a vector instead of {float32[BYTES_PER_VECTOR]}: FAR is then 10.00 % "
        "instead of 10.00 % and FRR 10.10 % instead of 10.00 %."
    )
    costly = with_rows(base, frr=rate(BEYOND))
    expected = "Stay with float32: every format costs more than the tolerance."
    assert advice(costly, tolerance=TOLERANCE) == expected
    unsure = with_rows(costly, label="E2M3", frr=rate(UNSURE))
    assert advice(unsure, tolerance=TOLERANCE) == (
        "Stay with float32: 100 speakers are too few to tell what a format costs, and about 300 "
        "more would tell."
    )
    embeddings = np.random.default_rng(0).standard_normal((3, 16)).astype(np.float32)
    for result in base.results:
        if not result.condition.is_offered:
            continue
        found: dict[str, Any] = {"minifloat": mf, "embeddings": embeddings}
        exec(applied(base, result), found)
        stored = replace(base.task.embeddings, rows=embeddings)
        assert isinstance(result.condition.format, mf.Format)
        assert found["packed"] == packed(stored, result.condition.format, result.condition)


def test_an_interval_that_leaves_out_its_estimate_is_warned_of(base: BitdepthStudy) -> None:
    warning = "The draws of speakers do not surround the estimate, so that its interval is not to "
    assert not any(warning in one for one in summary(base, tolerance=TOLERANCE))
    half = replace(rate((0.4, 0.4)), low=0.0, high=0.0)
    outcome = with_rows(base, label="E2M1 scaled", eer=half)
    outcome = with_rows(outcome, label="E2M3", frr=replace(rate((0, 0)), change_high=-0.01))
    (told,) = (one for one in summary(outcome, tolerance=TOLERANCE) if warning in one)
    assert told == f"{warning}be relied on: FRR of E2M3, EER of E2M1 scaled."
    nothing = replace(rate((0, 0)), low=math.nan, high=math.nan)
    assert not nothing.is_left_out


def test_a_low_rate_may_rise_by_a_share_of_itself(base: BitdepthStudy) -> None:
    doubled = with_rows(base, frr=rate((0.004, 0.0045), of_float32=0.004))
    assert label_of(doubled) is None
    assert verdict(row_of(doubled, "E2M1"), tolerance=Tolerance(share=2)) is Verdict.WITHIN
    assert TOLERANCE.allowed(0.004) == 0.001
    assert TOLERANCE.allowed(0.4) == 0.005


def test_few_speakers_and_few_errors_show_nothing(base: BitdepthStudy) -> None:
    assert label_of(with_rows(base, speakers=FEWEST_SPEAKERS)) == "E2M1"
    assert label_of(with_rows(base, speakers=FEWEST_SPEAKERS - 1)) is None
    # The tolerance of 0.5 points is worth 3.7 of 738 trials.
    assert label_of(with_rows(base, targets=738)) == "E2M1"
    assert label_of(with_rows(base, targets=737)) is None
    without_errors = with_rows(base, frr=rate((0, 0), of_float32=0))
    assert label_of(without_errors) is None
    assert "about 100 speakers more would tell" in recommendation(
        without_errors, tolerance=TOLERANCE
    )


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_tolerance_is_above_0_and_finite(value: float) -> None:
    with pytest.raises(InputError, match=f"points must be above 0 and finite; got {value}"):
        Tolerance(points=value)
    with pytest.raises(InputError, match=f"share must be above 0 and finite; got {value}"):
        Tolerance(share=value)


def test_a_format_that_is_not_saturated_is_not_recommended(voices: Embeddings) -> None:
    stretched = replace(voices, rows=voices.rows * (20 / abs(voices.rows).max()))
    outcome = bitdepth_study(all_pairs(stretched), formats=[mf.E3M4], draws=5)
    outcome = with_rows(unchanged(outcome), flipped_targets=1)
    outcome = with_rows(outcome, label="E3M4 unsaturated", flipped_targets=0)
    assert label_of(outcome) == "E3M4"
