"""Scores of many queries, and searches, by the matrix units of warpgroups, in the emulator."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.formats import as_format
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Rows, Selection
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import (
    ALL,
    assert_finds_the_best,
    may_be_off,
    plain_scores,
    plain_search,
    sides,
)
from tests.support import emulated
from tests.support.rows import normal

pytestmark = pytest.mark.skipif(not emulated.IS_HERE, reason=emulated.NOT_HERE)

MANY = pytest.param(132, marks=pytest.mark.long)


@pytest.fixture(params=[emulated.FEW_MULTIPROCESSORS, MANY], ids=["few", "many"])
def search(request: pytest.FixtureRequest) -> Iterator[Any]:
    emulated.install()
    emulated.set_multiprocessors(request.param)
    yield implementation("cuda", "search")
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)


@pytest.fixture
def without_warpgroups() -> Iterator[None]:
    emulated.set_warpgroup_products(False)
    yield
    emulated.set_warpgroup_products(True)


@pytest.mark.parametrize(
    ("queries", "rows", "dim", "k"),
    [(65, 1, 64, 1), (70, 200, 64, 10), (70, 333, 192, 300), (66, 300, 512, 10)],
)
def test_searches_for_many_queries_find_the_best(
    format: mf.Format, are_packed: bool, queries: int, rows: int, dim: int, k: int, search: Any
) -> None:
    assert_finds_the_best(search, sides(format, are_packed, queries, rows, dim), k)


def test_scores_of_many_queries_are_those_of_the_plain_way(
    format: mf.Format, are_packed: bool
) -> None:
    emulated.install()
    asked = arguments(AllScores(sides(format, are_packed, 66, 205, 192)))
    found, expected = implementation("cuda", "scores")(*asked), plain_scores(*asked)
    off = may_be_off(192) if format.lane == "float" else 0
    torch.testing.assert_close(found, expected, rtol=0, atol=off)


def test_more_queries_than_a_block_has_are_found(
    format: mf.Format, are_packed: bool, search: Any
) -> None:
    rows = sides(format, are_packed, 270, 150, 128)
    assert_finds_the_best(search, rows, 10)


def test_masks_and_ranges_choose_rows(format: mf.Format, are_packed: bool, search: Any) -> None:
    rows = sides(format, are_packed, 65, 500, 64)
    mask = torch.arange(500) % 3 > 0
    ranges = torch.tensor([[0, 2], [90, 310], [400, 499]])
    for chosen in (Selection(mask), Selection(None, ranges), Selection(mask, ranges)):
        assert_finds_the_best(search, rows, 10, chosen)


def test_nan_zeros_and_ties_have_their_places(
    format: mf.Format, are_packed: bool, search: Any
) -> None:
    database = normal(8, 64, 5)[torch.arange(300) % 8]
    database[5::40] = 0
    rows = mf.quantize(database, format)
    norms = rows.reciprocal_norms.clone()
    norms[3::50] = torch.nan
    a = normal(65, 64, 6)
    a[7] = 0
    taken = sides_of(mf.quantize(a, format) if are_packed else a, rows)
    taken = taken._replace(b=Rows(rows.codes, norms))
    for k in (1, 40, 300):
        asked = arguments(Best(taken, ALL, k))
        (scores, found), (expected, expected_rows) = search(*asked), plain_search(*asked)
        torch.testing.assert_close(scores, expected, rtol=0, atol=may_be_off(64), equal_nan=True)
        if format.lane != "float":
            assert torch.equal(found, expected_rows)


def test_rows_of_a_code_that_is_not_finite_go_last(are_packed: bool, search: Any) -> None:
    for name in ("e5m2", "e4m3", "e3m4"):
        format = mf.FORMATS[[f.name for f in mf.FORMATS].index(name)]
        rows = sides(format, are_packed, 65, 200, 64)
        codes = rows.b.data.clone()
        codes[::9, 5] = 0x7F
        norms = torch.ops.minifloat.reciprocal_norms(codes, name, 64)
        assert norms.isnan().sum() == 23
        asked = arguments(Best(rows._replace(b=Rows(codes, norms)), ALL, 200))
        assert search(*asked)[1][:, -23:].tolist() == [list(range(0, 200, 9))] * 65


@pytest.mark.parametrize("name", ["e5m2", "e3m4"])
def test_a_query_with_an_infinity_gets_the_first_rows(name: str, search: Any) -> None:
    format = as_format(name)
    rows = sides(format, True, 65, 200, 64)
    a = rows.a.data.clone()
    a[3, 5] = mf.encode(torch.tensor(torch.inf), format, saturate=False)
    assert mf.decode(a[3], format)[5].isinf()
    a_norms = torch.ops.minifloat.reciprocal_norms(a, name, 64)
    for k in (10, 200):
        asked = arguments(Best(rows._replace(a=Rows(a, a_norms)), ALL, k))
        assert search(*asked)[1][3].tolist() == list(range(k))
        assert plain_search(*asked)[1][3].tolist() == list(range(k))


@pytest.mark.long
def test_no_order_of_threads_copies_and_products_changes_an_answer(
    format: mf.Format, are_packed: bool, search: Any
) -> None:
    rows = sides(format, are_packed, 65, 270, 320)
    found = []
    for backward in (False, True):
        for at_once in (False, True):
            emulated.set_order(backward=backward, at_once=at_once)
            found.append(search(*arguments(Best(rows, ALL, 10))))
    emulated.set_order()
    for other in found[1:]:
        assert all(torch.equal(x, y) for x, y in zip(found[0], other, strict=True))


@pytest.mark.usefixtures("without_warpgroups")
def test_searches_without_warpgroups_find_the_same(integer_format: mf.Format, search: Any) -> None:
    rows = sides(integer_format, True, 70, 300, 128)
    assert_finds_the_best(search, rows, 10)


def test_every_sum_that_reaches_a_bound_is_looked_at() -> None:
    random = np.random.default_rng(0)
    factors = (2.0 ** random.uniform(-12, 2, 2000)).astype(np.float32)
    norms = (2.0 ** random.uniform(-12, 2, 2000)).astype(np.float32)
    sums = (2.0 ** random.uniform(0, 22.9, 2000)).astype(np.int32)
    for total, factor, norm in zip(sums, factors, norms, strict=True):
        score, more = (np.float32(x) * factor * norm for x in (total, total * (1 + 2.0**-18) + 1))
        assert total >= emulated.cut(score, factor, norm).view(np.int32)
        assert total < emulated.cut(more, factor, norm).view(np.int32)


def test_no_bits_of_nan_are_compared() -> None:
    for bound in (-np.inf, -1, -0.0, 0, 1e-38, 0.5, 1):
        for factor in (0, 1e-6, 1, 100):
            for norm in (0, np.nan, 1e-6, 1, 100):
                assert not np.isnan(emulated.cut(bound, factor, norm))


def test_warpgroups_multiply_where_rows_are_aligned(format: mf.Format, are_packed: bool) -> None:
    def stages(**shape: int) -> int:
        return emulated.plan(format, packed=are_packed, **shape).stages

    assert all(stages(dim=dim) >= 2 for dim in (64, 128, 192, 256, 512))
    assert all(stages(dim=dim, capacity=2048) >= 2 for dim in (64, 192, 256))
    assert stages(address=1 << 20) >= 2
    assert stages(address=(1 << 20) + 8) == 0
    assert [stages(dim=dim) for dim in (0, 1, 63, 65, 200, 8192, 1 << 40)] == [0] * 7
