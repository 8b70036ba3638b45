"""Lists of keys of a search: however they are filled, cut and merged, they have the best."""

from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.ops import arguments
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import assert_finds_the_best, needs_emulator, plain_scores
from tests.support import emulated
from tests.support.rows import normal

pytestmark = needs_emulator

WAYS = ("merges_by_list", "starts_early", "has_long_lists", "asks_occupancy")


@pytest.fixture(params=["new", *WAYS, "old"])
def any_way(request: pytest.FixtureRequest, ways: Any) -> None:
    """All ways are the new ones, or the old ones, or one is old."""
    for name in WAYS:
        setattr(ways, name, request.param not in ("old", name))


def sides(queries: int, rows: int, dim: int) -> Sides:
    database = mf.quantize(normal(rows, dim, 2), mf.E2M1)
    return sides_of(mf.quantize(normal(queries, dim, 1), mf.E2M1), database)


def in_order(taken: Sides, descending: bool) -> Sides:
    """The same rows by their scores with the first query."""
    scores = plain_scores(*arguments(AllScores(taken)))[0]
    order = scores.argsort(descending=descending, stable=True)
    codes, norms = taken.b.data[order], taken.b.norms[order]
    return taken._replace(b=taken.b._replace(data=codes, norms=norms))


@pytest.mark.usefixtures("any_way")
@pytest.mark.parametrize("queries", [2, 5, 70])
def test_every_way_finds_the_best_of_rows_in_any_order(queries: int, cuda: Any) -> None:
    taken = sides(queries, 1300, 64)
    for order in (taken, in_order(taken, False), in_order(taken, True)):
        for k in (1, 10, 130):
            assert_finds_the_best(cuda.search, order, k)


@pytest.mark.usefixtures("any_way")
def test_every_way_finds_all_rows_of_few(cuda: Any) -> None:
    for rows in (1, 40, 400):
        for queries in (3, 66):
            assert_finds_the_best(cuda.search, sides(queries, rows, 64), rows)


@pytest.mark.usefixtures("any_way")
def test_every_way_puts_ties_nan_and_masks_in_their_places(cuda: Any) -> None:
    database = normal(8, 64, 5)[torch.arange(900) % 8]
    rows = mf.quantize(database, mf.E2M1)
    norms = rows.reciprocal_norms.clone()
    norms[3::50] = torch.nan
    mask = torch.arange(900) % 3 > 0
    for queries in (3, 66):
        taken = sides_of(mf.quantize(normal(queries, 64, 6), mf.E2M1), rows)
        taken = taken._replace(b=taken.b._replace(norms=norms))
        for chosen in (Selection(), Selection(mask), Selection(None, torch.tensor([[5, 890]]))):
            for k in (1, 200):
                assert_finds_the_best(cuda.search, taken, k, chosen)


@pytest.mark.usefixtures("any_way")
@pytest.mark.parametrize("queries", [3, 40])
def test_more_keys_than_a_merge_has_room_for_are_merged(
    queries: int, cuda: Any, multiprocessors: Any
) -> None:
    # Each list has all of its rows, since nothing has raised a threshold.
    multiprocessors(30)
    taken = sides(queries, 7000, 64)
    for order in (taken, in_order(taken, False)):
        assert_finds_the_best(cuda.search, order, 128)


@pytest.mark.parametrize("merges_by_list", [True, False])
def test_the_best_of_a_part_stay_when_thresholds_rise_to_them(
    merges_by_list: bool, cuda: Any, ways: Any
) -> None:
    ways.merges_by_list = merges_by_list
    shape = {"queries": 70, "rows": 5000}
    assert len(emulated.course(mf.E2M1, dim=64, k=10, **shape)[7:]) == 3
    taken = sides(dim=64, **shape)
    for order in (taken, in_order(taken, False), in_order(taken, True)):
        assert_finds_the_best(cuda.search, order, 10)


def test_parts_are_those_of_all_rows(ways: Any, multiprocessors: Any) -> None:
    multiprocessors(132)
    for early in (True, False):
        ways.starts_early = early
        for queries in (1, 31, 32, 64, 500, 4096):
            for rows in (0, 1, 100, 10_000, 10_000_000):
                for k in (1, 100, 1024):
                    shape = {"queries": queries, "rows": rows}
                    ends = emulated.course(mf.E2M1, dim=256, k=k, **shape)[7:]
                    assert ends == sorted(set(ends))
                    assert ends[-1:] == ([rows] if rows else [])
                    assert len(ends) < 2 or (early and queries >= 32 and ends[0] >= 4 * k)


def test_a_list_that_is_not_crowded_has_room_until_lists_are_looked_at(ways: Any) -> None:
    for long in (True, False):
        ways.has_long_lists = long
        for queries in (1, 100):
            for k in (1, 2, 10, 63, 64, 100, 155, 359, 769, 1024, 5000):
                found = emulated.course(mf.E2M1, queries=queries, rows=10_000, dim=256, k=k)
                capacity, crowd, left, period = found[3:7]
                assert min(k, 1024) <= left <= crowd <= capacity - 64 * period
                assert left < crowd
