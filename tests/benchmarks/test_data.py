import pytest
import torch

from benchmarks.data import Neighbours, best_of, normal_rows, queries_near, recall, spread
from benchmarks.harness.rival import RivalError


@pytest.fixture
def near() -> Neighbours:
    """Three queries of a few rows."""
    rows = normal_rows(300, 40, torch.Generator().manual_seed(0))
    return Neighbours.of(rows, queries_near(rows, 3, torch.Generator().manual_seed(1)), 5)


def test_recall_is_the_share_of_the_nearest_rows_that_were_found(near: Neighbours) -> None:
    exact = (near.queries.double() @ near.rows.double().T).argsort(1, descending=True)
    assert near.recall(exact[:, :5]) == 1
    assert near.recall(exact[:, :5].flip(1)) == 1
    assert near.recall(exact[:, 2:7]) == pytest.approx(3 / 5)
    assert near.recall(exact[:, 5:10]) == 0
    assert near.recall(exact[:, :1].expand(-1, 5)) == pytest.approx(1 / 5)
    assert near.recall(torch.full((3, 5), -1)) == 0
    assert near.recall(torch.full((3, 5), 300)) == 0


def test_a_row_that_ties_with_the_last_of_the_nearest_counts_as_found() -> None:
    rows = torch.randn((40, 16), generator=torch.Generator().manual_seed(0)).repeat(30, 1)
    copies = torch.arange(3)[:, None] + 40 * torch.arange(30)
    exact, others = copies[:, :5], copies[:, 20:25]
    assert recall(rows, rows[:3], others, exact) == 1
    assert recall(rows, rows[:3], others + 3, exact) == 0


def test_recall_is_the_same_in_blocks(near: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    found = near.exact.roll(1, 1)
    found[1, 2:] = 299
    whole = near.recall(found)
    monkeypatch.setattr("benchmarks.data._PRODUCTS", 1)
    assert near.recall(found) == whole


def test_a_sample_of_the_queries_is_judged_alone(near: Neighbours) -> None:
    sample = spread(2, 3, torch.device("cpu"))
    some = Neighbours.of(near.rows, near.queries, 5, sample)
    found = torch.full((3, 5), -1)
    found[sample] = near.exact[sample]
    assert some.checked_recall(found) == 1
    assert near.recall(found) == pytest.approx(2 / 3)


def test_too_few_rows_and_others_than_the_nearest_are_refused(near: Neighbours) -> None:
    with pytest.raises(RivalError, match=r"rows of shape \(3, 4\), not \(3, 5\)"):
        near.checked_recall(near.exact[:, :4])
    with pytest.raises(RivalError, match=r"recall 0\.00 of the 5 nearest rows, below 0\.2"):
        near.checked_recall(torch.full((3, 5), -1))


@pytest.mark.parametrize("size", [1, 3, 16, 100])
def test_the_best_of_tiles_are_the_best_of_all(size: int) -> None:
    scores = torch.rand((4, 50), generator=torch.Generator().manual_seed(0))
    found = best_of(scores.split(size, 1), 7)
    for part, expected in zip(found, scores.topk(7), strict=True):
        assert torch.equal(part, expected)
