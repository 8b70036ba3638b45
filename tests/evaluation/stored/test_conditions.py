import numpy as np
import pytest
import torch

import minifloat as mf
from evaluation.embeddings.embeddings import Embeddings
from evaluation.stored.conditions import Condition, Preparation, conditions
from evaluation.stored.conversion import (
    convert,
    differs_by_maximum,
    overflowing,
    scaled,
    scaled_by_maximum,
)
from evaluation.stored.scorers import PackedScorer
from evaluation.trials.pairs import never_accept_nan

FORMATS = pytest.mark.parametrize("format", mf.FORMATS, ids=str)


def test_each_format_comes_as_it_is_and_prepared_after_the_references() -> None:
    labels = [condition.label for condition in conditions([mf.E2M1])]
    expected = ["float32", "float16", "bfloat16", "E2M1", "E2M1 scaled", "E2M1 framed"]
    assert labels == expected
    fed_back = [condition.label for condition in conditions([mf.E2M1, mf.E4M3], feeds_back=True)]
    e4m3 = ["E4M3", "E4M3 scaled", "E4M3 framed"]
    assert fed_back == [*expected, "E2M1 framed, feedback", *e4m3]
    by_maximum = [condition.label for condition in conditions([mf.E2M1], by_maximum=True)]
    assert by_maximum == [*expected[:-1], "E2M1 scaled by the maximum", "E2M1 framed"]


@pytest.mark.parametrize(
    "format", [f for f in mf.FORMATS if not np.isfinite(f.values).all()], ids=str
)
def test_overflow_is_what_becomes_infinite_without_saturation(format: mf.Format) -> None:
    largest = format.values[np.isfinite(format.values)].max()
    # Also where the largest value begins a binade, whose steps are twice as large as those below.
    step = 2.0 ** (np.floor(np.log2(largest)) - format.mantissa_bits)
    halfway = np.float32(largest + step / 2)
    values = np.concatenate(
        [
            np.array([np.nextafter(halfway, np.float32(way)) for way in (0, np.inf)]),
            [halfway, largest, 2 * largest, 0],
        ]
    ).astype(np.float32)
    values = np.concatenate((values, -values))
    stored = mf.decode(mf.encode(values, format, saturate=False), format)
    np.testing.assert_array_equal(overflowing(values, format), ~np.isfinite(stored))


@FORMATS
def test_scaled_rows_reach_the_formats_largest_value(format: mf.Format) -> None:
    rows = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    rows[2] = 0
    result = scaled(rows, format)
    largest = np.abs(result).max(axis=1)
    # One rounding in the factor and one in the product.
    np.testing.assert_allclose(np.delete(largest, 2), format.max, rtol=2 * 2**-24)
    assert not result[2].any()
    assert not overflowing(result, format).any()


@FORMATS
def test_rows_scaled_by_the_maximum_reach_it_with_their_largest_value(format: mf.Format) -> None:
    rows = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    rows[1], rows[2], rows[3] = -np.abs(rows[1]), 0, np.abs(rows[3])
    rows[4, :2] = 1e-38, -1e38
    found = scaled_by_maximum(rows, format)
    np.testing.assert_allclose(found.max(axis=1)[[0, 3, 5]], format.max, rtol=2 * 2**-24)
    # Rows without a value above 0 go by their magnitude.
    np.testing.assert_allclose(-found[1].min(), format.max, rtol=2 * 2**-24)
    assert not found[2].any()
    # What is beyond all numbers stays one, and saturates.
    assert np.isfinite(found).all()
    assert -found[4].min() > format.max
    np.testing.assert_array_equal(scaled_by_maximum(rows[[3]], format), scaled(rows[[3]], format))


def test_scaling_by_the_maximum_differs_where_a_negative_value_is_the_largest_of_a_row() -> None:
    rows = np.array([[1, -0.5], [-1, -2], [0, -3], [2, -2]], np.float32)
    assert not differs_by_maximum(rows)
    rows[0, 1] = -1.5
    assert differs_by_maximum(rows)


@FORMATS
def test_values_that_saturate_when_scaled_by_the_maximum_are_counted(format: mf.Format) -> None:
    rows = np.array([[1, -9, 0.5, 0.25], [1, -0.5, 0.5, 0.25]] * 2, np.float32)
    voices = Embeddings(
        name="voices",
        rows=rows,
        speaker=np.array([0, 0, 1, 1], np.int32),
        speaker_names=["a", "b"],
        utterance=None,
        sha256="",
    )
    converted = convert(voices, Condition(format=format, prepared="maximum"))
    assert converted.overflow == 1 / 8
    own = np.array([1, -1, 0.5, 0.25]) @ rows[0] / np.linalg.norm([1, -1, 0.5, 0.25])
    expected = (1 - own / np.linalg.norm(rows[0])) / 2
    assert converted.cosine_loss == pytest.approx(expected, abs=2e-2)


@FORMATS
@pytest.mark.parametrize("prepared", ["none", "amax"])
def test_what_storing_does_is_counted(
    voices: Embeddings, format: mf.Format, prepared: Preparation
) -> None:
    converted = convert(voices, Condition(format=format, prepared=prepared))
    given = scaled(voices.rows, format) if prepared == "amax" else voices.rows
    stored = mf.round(given, format).astype(np.float64)
    rows = voices.rows.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(stored, axis=1)
    cosine = (rows * stored).sum(axis=1) / norms
    # Equal rounding is expected of both; scaling may round one factor differently.
    assert converted.cosine_loss == pytest.approx((1 - cosine).mean(), rel=1e-2, abs=1e-9)
    assert converted.underflow == pytest.approx((stored[rows != 0] == 0).mean(), abs=2e-3)
    assert converted.bytes_per_row == -(-voices.dim * format.bits // 8)
    assert converted.total_bytes == len(voices) * (converted.bytes_per_row + 4)


def test_a_reference_keeps_float32_as_it_is(voices: Embeddings) -> None:
    converted = convert(voices, Condition(format=torch.float32))
    assert converted.cosine_loss == pytest.approx(0, abs=1e-12)
    assert converted.overflow == converted.underflow == 0
    assert converted.total_bytes == voices.rows.nbytes


@FORMATS
def test_blocks_and_pairs_score_alike(voices: Embeddings, format: mf.Format) -> None:
    scorer = PackedScorer(mf.quantize(voices.rows, format))
    block = scorer.block(slice(3, 9), slice(3, 20))
    i, j = np.meshgrid(np.arange(3, 9), np.arange(3, 20), indexing="ij")
    pairs = scorer.pairs(np.stack((i.ravel(), j.ravel()), axis=1))
    # Sums of `dim` products in another order differ by at most dim roundings.
    np.testing.assert_allclose(block.ravel(), pairs, atol=voices.dim * 2**-23)


def test_a_zero_vector_scores_zero() -> None:
    rows = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    for condition in conditions(mf.FORMATS):
        embeddings = Embeddings(
            name="zero",
            rows=rows.numpy(),
            speaker=np.zeros(2, np.int32),
            speaker_names=["s"],
            utterance=["a", "b"],
            sha256="",
        )
        scorer = convert(embeddings, condition).scorer
        assert scorer.pairs(np.array([[0, 1]])).tolist() == [0.0]
        assert scorer.block(slice(0, 1), slice(0, 2)).tolist() == [[0.0, 0.0]]


def test_a_score_that_is_not_a_number_is_never_accepted() -> None:
    scores = np.array([np.nan, 0.5], dtype=np.float32)
    never_accept_nan(scores)
    np.testing.assert_array_equal(scores >= -1, [False, True])
