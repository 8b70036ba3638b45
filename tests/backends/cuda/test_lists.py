"""Lists of keys of a search: however they are filled, cut and merged, they have the best."""

from itertools import product
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.ops import arguments
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import assert_finds_the_best, needs_emulator, plain_scores
from tests.support.rows import normal

pytestmark = needs_emulator

WAYS = ("merges_by_list",)
CHOICES = list(product((True, False), repeat=len(WAYS)))


@pytest.fixture(params=CHOICES, ids=str)
def any_way(request: pytest.FixtureRequest, ways: Any) -> None:
    for name, way in zip(WAYS, request.param, strict=True):
        setattr(ways, name, way)


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
    for rows in (1, 40, 600):
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
