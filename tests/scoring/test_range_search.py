"""All rows that reach a threshold, and all pairs of rows that do."""

import re
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.scoring import reaching
from tests.support.rows import normal
from tests.support.searches import Queries, tied, with_nan

pytestmark = pytest.mark.gpu


def assert_reached(found: Any, scores: torch.Tensor, thresholds: Any, taking_part: Any) -> None:
    """The rows are those whose scores are at least the thresholds, in ascending order."""
    wanted = scores.double() >= torch.as_tensor(thresholds, dtype=torch.float64).reshape(-1, 1)
    wanted &= taking_part
    query, row = wanted.nonzero(as_tuple=True)
    assert found.rows.tolist() == row.tolist()
    assert found.offsets.tolist() == [0, *wanted.sum(1).cumsum(0).tolist()]
    assert found.scores.tolist() == scores[query, row].tolist()
    assert (found.rows.dtype, found.scores.dtype) == (torch.int64, torch.float32)


def ask(format: mf.Format) -> list[tuple[Queries, mf.PackedVectors]]:
    rows = tied(format, 300)
    few = normal(9, 9)
    return [(few, rows), (few[:1], rows), (mf.quantize(few, format), rows), (rows, rows)]


def test_a_range_search_finds_all_scores_from_a_threshold_on(
    integer_format: mf.Format, backend: str
) -> None:
    for queries, rows in ask(integer_format):
        scores = mf.scores(queries, rows)
        # Scores as they are are thresholds that they reach.
        for threshold in (-2, -1, 0, 0.3, float(scores[0, 7]), float(scores.max()), 1, 1.5):
            found = mf.range_search(queries, rows, threshold)
            assert_reached(found, scores, threshold, True)


def test_floats_reach_thresholds_as_their_scores_do(isa: str) -> None:
    for format in (mf.E4M3, mf.E5M2):
        for queries, rows in ask(format)[:3]:
            scores = mf.scores(queries, rows)
            assert_reached(mf.range_search(queries, rows, 0.25), scores, 0.25, True)


def test_each_query_may_have_a_threshold(backend: str) -> None:
    rows = tied(mf.E2M3, 150)
    queries = normal(70, 9)
    scores = mf.scores(queries, rows)
    thresholds = torch.linspace(-1, 1, 70, dtype=torch.float64)
    for given in (thresholds, thresholds.numpy(), thresholds.tolist()):
        assert_reached(mf.range_search(queries, rows, given), scores, thresholds, True)


def test_a_threshold_between_two_floats_is_not_rounded_down() -> None:
    rows = tied(mf.E2M3, 50)
    queries = normal(3, 9)
    scores = mf.scores(queries, rows)
    score = float(scores[scores > 0][0])
    for threshold in (score, np.nextafter(score, 2), np.nextafter(score, -2)):
        assert_reached(mf.range_search(queries, rows, threshold), scores, threshold, True)


def test_only_rows_that_take_part_are_found(backend: str) -> None:
    rows, queries = tied(mf.E2M1, 200), normal(5, 9)
    scores = mf.scores(queries, rows)
    mask = torch.arange(200) % 3 > 0
    inside = torch.zeros(200, dtype=torch.bool)
    inside[3:70] = inside[128:131] = True
    ranges = [(3, 70), (70, 70), (128, 131)]
    for chosen, taking_part in (
        ({"mask": mask}, mask),
        ({"ranges": ranges}, inside),
        ({"mask": mask, "ranges": ranges}, mask & inside),
        ({"mask": mask & False}, mask & False),
        ({"ranges": []}, mask & False),
    ):
        found = mf.range_search(queries, rows, 0.1, **chosen)
        assert_reached(found, scores, 0.1, taking_part)


def test_nan_reaches_nothing(backend: str) -> None:
    rows, queries = with_nan(tied(mf.E3M4, 100), [0, 5, 99]), normal(4, 9)
    for count in (1, 4):
        scores = mf.scores(queries[:count], rows)
        for threshold in (-2, 0.2, 1.5):
            found = mf.range_search(queries[:count], rows, threshold)
            assert_reached(found, scores, threshold, ~scores.isnan())


def test_no_queries_and_no_rows_reach_nothing(backend: str) -> None:
    rows = tied(mf.E2M1, 20)
    found = mf.range_search(normal(0, 9), rows, 0.0)
    assert [part.tolist() for part in found] == [[0], [], []]
    found = mf.range_search(normal(3, 9), rows[:0], 0.0)
    assert [part.tolist() for part in found] == [[0, 0, 0, 0], [], []]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_rows_are_the_same_on_any_number_of_threads(count: int, threads: None) -> None:
    torch.set_num_threads(count)
    rows = tied(mf.E2M1, 3000)
    for queries in (normal(1, 9), normal(70, 9), normal(5000, 9)):
        scores = mf.scores(queries, rows)
        assert_reached(mf.range_search(queries, rows, 0.8), scores, 0.8, True)


def test_rows_come_by_score_where_that_is_asked(backend: str) -> None:
    rows, queries = tied(mf.E2M1, 120), normal(6, 9)
    by_row = mf.range_search(queries, rows, 0.0)
    found = mf.range_search(queries, rows, 0.0, order="score")
    assert torch.equal(found.offsets, by_row.offsets)
    best, order = mf.search(queries, rows, 120)
    for i in range(6):
        some = slice(int(found.offsets[i]), int(found.offsets[i + 1]))
        count = some.stop - some.start
        assert found.rows[some].tolist() == order[i, :count].tolist()
        assert found.scores[some].tolist() == best[i, :count].tolist()


def test_answers_are_of_the_kind_of_queries() -> None:
    rows = tied(mf.E2M1, 50)
    found = mf.range_search(normal(3, 9).numpy(), rows, 0.2)
    assert all(isinstance(part, np.ndarray) for part in found)
    expected = mf.range_search(normal(3, 9), rows, 0.2)
    for part, tensor in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, tensor)


def test_more_rows_than_the_limit_are_an_error(backend: str) -> None:
    rows, queries = tied(mf.E2M1, 200), normal(5, 9)
    count = int((mf.scores(queries, rows) >= 0.5).sum())
    assert len(mf.range_search(queries, rows, 0.5, limit=count).rows) == count
    message = f"^more than limit={count - 1} rows reach their thresholds: raise the thresholds, or"
    with pytest.raises(ValueError, match=message):
        mf.range_search(queries, rows, 0.5, limit=count - 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"threshold": float("nan")}, "thresholds must be numbers; got NaN for query 0"),
        (
            {"threshold": [0.1, 0.2]},
            "threshold must be one number, or one for each of 3 queries; got shape (2,)",
        ),
        ({"limit": -1}, "limit must be 0 or more; got -1"),
        ({"order": "rank"}, "order must be row or score; got 'rank'"),
        ({"ranges": [(5, 3)]}, "ranges must ascend within 0..20 and not overlap; got 3 after 5"),
        ({"mask": torch.ones(19)}, "mask must be bool of shape (20,); got float32 of shape (19,)"),
    ],
)
def test_what_cannot_be_asked_is_refused(changed: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"threshold": 0.5} | changed
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.range_search(normal(3, 9), tied(mf.E2M1, 20), **asked)


@pytest.mark.parametrize("together", [1, 7, 64, 1000])
def test_all_pairs_above_a_threshold_are_found_once(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "_TOGETHER", together)
    for format in (mf.E2M1, mf.E4M3):
        rows = tied(format, 150)
        scores = mf.scores(rows, rows)
        lower, upper = (scores >= 0.5).triu(1).nonzero(as_tuple=True)
        blocks = list(mf.pairs_above(rows, 0.5))
        assert len(blocks) == -(-150 // together)
        pairs, found = (torch.cat(parts) for parts in zip(*blocks, strict=True))
        assert torch.equal(pairs, torch.stack([lower, upper], 1))
        assert torch.allclose(found, scores[lower, upper], rtol=0, atol=1e-6)
        if format is mf.E2M1:
            most = max(len(pairs) for pairs, _ in blocks)
            assert len(list(mf.pairs_above(rows, 0.5, limit=most))) == len(blocks)
            with pytest.raises(ValueError, match=f"^more than limit={most - 1} rows reach"):
                list(mf.pairs_above(rows, 0.5, limit=most - 1))


def test_every_backend_finds_all_pairs(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "_TOGETHER", 67)
    rows = with_nan(tied(mf.E2M1, 150), [3, 70])
    scores = mf.scores(rows, rows)
    lower, upper = (scores >= 0.5).triu(1).nonzero(as_tuple=True)
    pairs, found = (torch.cat(parts) for parts in zip(*mf.pairs_above(rows, 0.5), strict=True))
    assert torch.equal(pairs, torch.stack([lower, upper], 1))
    assert torch.equal(found, scores[lower, upper])


def test_rows_in_a_frame_reach_thresholds_by_their_scores(
    integer_format: mf.Format, backend: str
) -> None:
    x = normal(170, 48) + 1
    packed = mf.quantize(x, integer_format, frame=mf.Frame.fit(x, 2))
    rows, mask = packed[70:], torch.arange(100) % 3 > 0
    for queries in (packed[:70], x[:70], x[:3]):
        scores = mf.scores(queries, rows)
        for threshold in (float(scores[0, 7]), 0.6):
            found = mf.range_search(queries, rows, threshold, mask=mask)
            assert_reached(found, scores, threshold, mask)


def test_pairs_of_arrays_are_arrays_and_no_rows_have_none() -> None:
    rows = mf.quantize(normal(20, 9).numpy(), "e2m1")
    for pairs, scores in mf.pairs_above(rows, 0.1):
        assert (type(pairs), type(scores)) == (np.ndarray, np.ndarray)
    assert list(mf.pairs_above(rows[:0], 0.1)) == []
    with pytest.raises(ValueError, match=r"^limit must be 0 or more; got -1$"):
        next(mf.pairs_above(rows, 0.1, limit=-1))
