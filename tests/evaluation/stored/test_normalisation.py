from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.embeddings.cohort import Cohort, load_cohort
from evaluation.embeddings.embeddings import Embeddings, at_unit_length
from evaluation.stored import scorers
from evaluation.stored.conditions import REFERENCES, Condition
from evaluation.stored.conversion import convert, packed, stored_rows
from evaluation.stored.normalisation import NormalisedScorer, normalised, refuse_alike

Maker = Callable[..., Path]
FLOAT32 = Condition(format=REFERENCES[0])
EVERY = slice(0, None)
# Cosines are float32, and deviations here are at least 0.05.
CLOSE = 2e-5


class Given:
    """Scores of a matrix."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        self._matrix = matrix

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        return self._matrix[rows, columns].copy()

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(self._matrix[tuple(pairs.T)])


@pytest.fixture
def cohort(make_file: Maker, voices: Embeddings) -> Cohort:
    speakers = np.repeat([f"c{i:03}" for i in range(30)], 4)
    path = make_file(name="cohort", speakers=30, utterances=4, seed=1, speaker=speakers)
    return load_cohort(path, voices, top=10)


def as_defined(
    rows: NDArray[np.float32], cohort: NDArray[np.float32], top: int
) -> NDArray[np.float64]:
    """Return normalised scores of all pairs by the formula, in float64."""
    unit, others = at_unit_length(rows), at_unit_length(cohort)
    largest = np.sort(unit @ others.T, axis=1)[:, -top:]
    mean, deviation = largest.mean(axis=1), largest.std(axis=1)
    scores = unit @ unit.T
    of_left = (scores - mean[:, None]) / deviation[:, None]
    return np.asarray((of_left + of_left.T) / 2)


def stored_cohort(voices: Embeddings, cohort: Cohort, condition: Condition) -> NDArray[np.float32]:
    if not isinstance(condition.format, mf.Format):
        return stored_rows(replace(voices, rows=cohort.rows), condition)
    codes = packed(voices, condition.format, condition, others=cohort.rows)
    return np.asarray(codes.dequantize())


CONDITIONS = [
    *(Condition(format=dtype) for dtype in REFERENCES),
    Condition(format=mf.E4M3),
    *(Condition(format=mf.E2M1, prepared=way) for way in ("none", "amax", "maximum")),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.label)
def test_scores_are_those_of_the_formula_on_rows_that_come_back_from_storage(
    voices: Embeddings, cohort: Cohort, condition: Condition
) -> None:
    scorer = normalised(convert(voices, condition).scorer, voices, cohort, condition)
    rows, others = stored_rows(voices, condition), stored_cohort(voices, cohort, condition)
    expected = as_defined(rows, others, cohort.top)
    assert np.ptp(expected) > 5
    found = scorer.block(EVERY, EVERY)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    np.testing.assert_allclose(
        scorer.block(slice(3, 9), slice(5, 70)), expected[3:9, 5:70], atol=CLOSE
    )
    pairs = np.array([[0, 1], [7, 71], [71, 7], [30, 2]])
    np.testing.assert_allclose(scorer.pairs(pairs), expected[tuple(pairs.T)], atol=CLOSE)


def test_a_cohort_is_stored_in_the_frame_of_the_rows(voices: Embeddings, cohort: Cohort) -> None:
    condition = Condition(format=mf.E2M1, prepared="frame")
    scorer = normalised(convert(voices, condition).scorer, voices, cohort, condition)
    codes = packed(voices, mf.E2M1, condition, others=cohort.rows)
    assert codes.frame is not None
    largest = -np.sort(-mf.scores(packed(voices, mf.E2M1, condition), codes), axis=1)[:, :10]
    mean, deviation = (of.astype(float) for of in (largest.mean(axis=1), largest.std(axis=1)))
    scores = convert(voices, condition).scorer.block(EVERY, EVERY)
    of_left = (scores - mean[:, None]) / deviation[:, None]
    np.testing.assert_allclose(scorer.block(EVERY, EVERY), (of_left + of_left.T) / 2, atol=1e-4)


def test_normalising_is_symmetric() -> None:
    rng = np.random.default_rng(0)
    half = rng.uniform(-1, 1, (20, 20)).astype(np.float32)
    scorer = NormalisedScorer(Given(half + half.T), *rng.uniform(0.1, 0.9, (2, 20)))
    scores = scorer.block(EVERY, EVERY)
    np.testing.assert_array_equal(scores, scores.T)
    pairs = np.array([[3, 17], [17, 3], [5, 5]])
    np.testing.assert_array_equal(scorer.pairs(pairs), scores[tuple(pairs.T)])


@pytest.mark.parametrize("condition", [FLOAT32, Condition(format=mf.E2M1)], ids=str)
def test_blocks_of_rows_make_no_difference(
    voices: Embeddings, cohort: Cohort, condition: Condition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scores() -> NDArray[np.float32]:
        scorer = convert(voices, condition).scorer
        return normalised(scorer, voices, cohort, condition).block(EVERY, EVERY)

    at_once = scores()
    # Seven rows at a time by floats, and of the cohort eight.
    monkeypatch.setattr(scorers, "BATCH", 56)
    monkeypatch.setattr(scorers, "COLUMNS", 8)
    np.testing.assert_allclose(scores(), at_once, atol=CLOSE)


@pytest.mark.parametrize("condition", [FLOAT32, Condition(format=mf.E2M1)], ids=str)
def test_no_table_of_rows_and_cohort_is_made(
    voices: Embeddings, cohort: Cohort, condition: Condition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorers, "BATCH", 70)
    scorer = convert(voices, condition).scorer
    others = convert(replace(voices, rows=cohort.rows), condition).scorer
    sizes = [len(part()) for part in scorer.largest(others, cohort.top)]  # type: ignore[arg-type]
    assert max(sizes) <= 7
    assert sum(sizes) == len(voices)


@pytest.mark.parametrize("format", [FLOAT32.format, mf.E2M1], ids=str)
def test_a_row_of_zeros_is_never_accepted(
    voices: Embeddings, cohort: Cohort, format: mf.Format
) -> None:
    rows = voices.rows.copy()
    rows[5] = 0
    zeroed = replace(voices, rows=rows)
    condition = Condition(format=format)
    scores = normalised(convert(zeroed, condition).scorer, zeroed, cohort, condition).block(
        EVERY, EVERY
    )
    unknown = np.isnan(scores)
    assert unknown[5].all()
    assert unknown[:, 5].all()
    unknown[5] = unknown[:, 5] = False
    assert not unknown.any()


def test_rows_of_the_cohort_that_overflow_do_not_count(voices: Embeddings, cohort: Cohort) -> None:
    condition = Condition(format=mf.E3M4, saturate=False)
    rows = np.concatenate((cohort.rows[:12], np.full((2, voices.dim), 100, np.float32)))
    overflowed, without = (
        replace(cohort, rows=rows, top=14),
        replace(cohort, rows=rows[:12], top=12),
    )
    small = replace(voices, rows=voices.rows / np.float32(2))
    found, expected = (
        normalised(convert(small, condition).scorer, small, one, condition).block(EVERY, EVERY)
        for one in (overflowed, without)
    )
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found).all()


def test_float_rows_that_overflow_are_nearest_to_none(voices: Embeddings, cohort: Cohort) -> None:
    condition = Condition(format=REFERENCES[1])
    rows = voices.rows.copy()
    rows[3] = 1e6
    beyond = replace(voices, rows=rows)
    scorer = convert(beyond, condition).scorer
    nearest = scorer.nearest(np.arange(10, 20), 5)
    assert 3 not in nearest
    np.testing.assert_array_equal(nearest[:, 0], np.arange(10, 20))


def test_scores_that_do_not_deviate_are_no_numbers() -> None:
    scorer = NormalisedScorer(
        Given(np.full((3, 3), 0.5, np.float32)), np.zeros(3), np.array([0.25, 1e-7, 0.125])
    )
    nan = np.nan
    expected = [[2, nan, 3], [nan, nan, nan], [3, nan, 4]]
    np.testing.assert_array_equal(scorer.block(EVERY, EVERY), expected)
    pairs = np.array([[0, 2], [1, 2]])
    np.testing.assert_array_equal(scorer.pairs(pairs), [3, nan])


def test_rows_that_score_alike_with_the_cohort_are_named(
    voices: Embeddings, cohort: Cohort
) -> None:
    refuse_alike(voices, cohort)
    rows = voices.rows.copy()
    rows[[6, 9]] = 0
    message = (
        r"^cohort\.npz: the 10 largest scores of a row with the cohort must deviate by at least "
        r"9\.5e-07, as those of zeros do not; those of row 6 of voices deviate by 0, 2 of 72 rows "
        r"in all$"
    )
    with pytest.raises(InputError, match=message):
        refuse_alike(replace(voices, rows=rows), cohort)
    same = replace(cohort, rows=np.repeat(cohort.rows[:1], 3, axis=0), top=2)
    with pytest.raises(InputError, match=r"the 2 largest scores .* 72 of 72 rows in all$"):
        refuse_alike(voices, same)
