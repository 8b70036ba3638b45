"""How many queries warpgroups multiply at a time, and by which products, in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import (
    assert_finds_the_best,
    may_be_off,
    needs_emulator,
    plain_scores,
    sides,
)
from tests.support import emulated
from tests.support.rows import rows_of_codes

pytestmark = needs_emulator

# Around the ends of blocks of 4, 8, 10, 16 and 32 tiles of 8 queries.
QUERIES = [8, 9, 16, 17, 32, 33, 64, 65, 80, 81, 128, 129, 256, 257]
OLD_WAYS = {"fewest_by_warpgroup": 65, "narrows_tiles": False, "has_three_products": False}
TWO_BYTES = [f for f in mf.FORMATS if f.lane == "int16"]


@pytest.fixture
def search() -> Iterator[Any]:
    """A search by one multiprocessor, whose blocks go through several row blocks."""
    emulated.install()
    emulated.set_multiprocessors(1)
    yield implementation("cuda", "search")
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)


@pytest.fixture(params=["new", "old"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    name: str = request.param
    with emulated.ways(**(OLD_WAYS if name == "old" else {})):
        yield name


def most_tiles(format: mf.Format, are_packed: bool) -> int:
    if are_packed:
        return {"int8": 32, "float": 16, "int16": 10}[format.lane]
    return {"int8": 16, "float": 8, "int16": 8}[format.lane]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("queries", QUERIES)
def test_any_number_of_queries_finds_the_best(
    format: mf.Format, are_packed: bool, queries: int, search: Any
) -> None:
    assert_finds_the_best(search, sides(format, are_packed, queries, 200, 64), 5)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("queries", [9, 33, 70])
def test_few_queries_find_all_rows_that_take_part(
    format: mf.Format, are_packed: bool, queries: int, search: Any
) -> None:
    rows = sides(format, are_packed, queries, 333, 192)
    for k in (1, 330):
        assert_finds_the_best(search, rows, k)
    mask = torch.arange(333) % 3 > 0
    ranges = torch.tensor([[0, 2], [90, 310], [320, 333]])
    assert_finds_the_best(search, rows, 10, Selection(mask, ranges))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("queries", "dim"), [(20, 320), (70, 128)])
def test_scores_are_those_of_the_plain_way(
    format: mf.Format, are_packed: bool, queries: int, dim: int
) -> None:
    emulated.install()
    asked = arguments(AllScores(sides(format, are_packed, queries, 205, dim)))
    found, expected = implementation("cuda", "scores")(*asked), plain_scores(*asked)
    off = may_be_off(dim) if format.lane == "float" else 0
    torch.testing.assert_close(found, expected, rtol=0, atol=off)


@pytest.mark.parametrize("dim", [640, 768, 1024, 1536])
def test_wide_rows_are_multiplied_by_warpgroups(
    format: mf.Format, are_packed: bool, dim: int, search: Any
) -> None:
    if dim > 1152 and format.lane == "float" and not are_packed:
        pytest.skip("two planes of float16 leave room for 16 queries, which warps multiply as fast")
    queries = 8 * most_tiles(format, are_packed)
    plan = emulated.plan(format, packed=are_packed, queries=queries, dim=dim)
    assert plan.stages >= 2
    assert 4 <= plan.tiles <= most_tiles(format, are_packed)
    rows = sides(format, are_packed, 34, 140, dim)
    assert emulated.plan(format, packed=are_packed, queries=34, dim=dim).stages >= 2
    assert_finds_the_best(search, rows, 10)
    with emulated.ways(**OLD_WAYS):
        assert emulated.plan(format, packed=are_packed, queries=34, dim=dim).stages == 0


def test_a_block_has_the_fewest_tiles_that_hold_the_queries(
    format: mf.Format, are_packed: bool
) -> None:
    most = most_tiles(format, are_packed)
    tiles = [n for n in (4, 8, 10, 16, 32) if n <= most and (n != 10 or most == 10)]
    for queries in QUERIES[1:]:
        found = emulated.plan(format, packed=are_packed, queries=queries).tiles
        assert found == next((n for n in tiles if 8 * n >= queries), most)
    assert emulated.plan(format, packed=are_packed, queries=8) == emulated.Plan(0, 0, 0, 0)
    with emulated.ways(fewest_by_warpgroup=65):
        multiply = [emulated.plan(format, packed=are_packed, queries=n).stages > 0 for n in QUERIES]
        assert multiply == [n > 64 for n in QUERIES]


def test_blocks_of_few_queries_share_a_multiprocessor(format: mf.Format) -> None:
    blocks = emulated.plan(format, queries=9).blocks
    assert blocks == (1 if format.lane == "int16" else 2)


@pytest.mark.parametrize("format", TWO_BYTES, ids=str)
def test_many_elements_of_two_bytes_take_three_products_where_memory_has_room(
    format: mf.Format,
) -> None:
    def plan(**shape: Any) -> tuple[int, int]:
        return emulated.plan(format, **shape)[:2]

    assert [plan(queries=n) for n in (9, 64, 65)] == [(4, 2), (8, 2), (10, 3)]
    assert plan(queries=80, packed=False) == (8, 2)
    assert plan(queries=80, dim=768) == (8, 2)
    with emulated.ways(has_three_products=False):
        assert plan(queries=65) == (8, 2)


def test_sums_of_the_largest_elements_are_exact(
    integer_format: mf.Format, way: str, search: Any
) -> None:
    # The last dims whose queries fit into memory, or sums into what they are compared and added up
    # in, and the first beyond.
    last = {"e2m1": 5632, "e2m3": 2304, "e3m2": 2624, "e3m4": 2176}[str(integer_format)]
    for dim in (last, last + 64):
        stages = emulated.plan(integer_format, queries=9, dim=dim).stages
        assert (stages > 0) == (dim == last and way == "new")
        signs = torch.randint(2, (80, dim), generator=torch.Generator().manual_seed(0))
        largest = 2 ** (integer_format.bits - 1)
        signs[70:] = 0
        codes = len(integer_format.finite) - 1 + largest * signs
        rows = rows_of_codes(codes.numpy().astype("uint8"), integer_format)
        assert_finds_the_best(search, sides_of(rows[61:], rows), 30)
