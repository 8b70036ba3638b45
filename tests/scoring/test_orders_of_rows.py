"""Databases whose rows come in an order that spoils what a search knows of those before."""

import time

import pytest
import torch

import minifloat as mf
from tests.support.rows import normal
from tests.support.searches import assert_is_sorted_scores

pytestmark = pytest.mark.gpu


def in_order_of_scores(rows: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """The rows, the least similar first."""
    return rows[torch.nn.functional.cosine_similarity(rows, query).argsort()]


@pytest.mark.parametrize("queries", [1, 40])
def test_rows_in_any_order_are_found(queries: int, threads: None) -> None:
    # So many that a sample of them bounds the others; every row is there twenty times.
    few, query = normal(1000, 16, 1), normal(1, 16, 2)
    repeated = in_order_of_scores(few, query).repeat_interleave(20, 0)
    for rows in (repeated, repeated.flip(0), few.repeat(20, 1), few[:1].expand(20_000, 16)):
        database = mf.quantize(rows, "e2m1")
        for count in (1, 3):
            torch.set_num_threads(count)
            for k in (1, 10, 300):
                assert_is_sorted_scores(query.expand(queries, 16), database, k)
                found = mf.search(query, database, k, ranges=[(50, 9000), (9001, 19_990)])[1]
                scores = mf.scores(query, database).numpy()[0]
                scores[:50] = scores[9000] = scores[19_990:] = -2
                assert found[0].tolist() == (-scores).argsort(kind="stable")[:k].tolist()


@pytest.mark.parametrize("queries", [1, 40])
def test_rows_that_all_lie_opposite_are_found(format: mf.Format, queries: int) -> None:
    # Before they are clamped, some of these scores are below -1.
    for query in normal(30, 16, 3).split(1):
        opposite = mf.quantize((-query).expand(20_000, 16), format)
        asked = mf.quantize(query.expand(queries, 16), format)
        best, rows = mf.search(asked, opposite, 3)
        assert rows.tolist() == [[0, 1, 2]] * queries
        assert torch.equal(best, mf.scores(asked, opposite[:3]))


def test_rows_in_ascending_order_take_about_as_long(threads: None) -> None:
    torch.set_num_threads(1)
    rows, query = normal(60_000, 64), normal(1, 64, 2)
    queries = mf.quantize(query.expand(64, 64), "e2m1")
    ascending = in_order_of_scores(rows, query)
    shuffled, sorted_ = mf.quantize(rows, "e2m1"), mf.quantize(ascending, "e2m1")
    ratios = []
    for _ in range(7):
        times = []
        for database in (shuffled, sorted_):
            start = time.thread_time()
            mf.search(queries, database, 10)
            times.append(time.thread_time() - start)
        ratios.append(times[1] / times[0])
    # Where each row better than all before was kept for a while, 25 times.
    assert sorted(ratios)[3] < 4
