"""Scores and searches of rows in a frame, by the CUDA kernels in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.backends.addresses import best_of
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import (
    ALL,
    assert_finds_the_best,
    may_be_off,
    needs_emulator,
    plain_scores,
    plain_search,
)
from tests.support import emulated
from tests.support.rows import normal

pytestmark = needs_emulator

# Queries and dims that one tile of a warp takes, also of rows that stream to it, many tiles of a
# warp, and warpgroups with the fewest and with more tiles.
WAYS = {
    "tile": (3, 9),
    "streamed tile": (3, 64),
    "tiles": (12, 70),
    "few of warpgroups": (20, 64),
    "warpgroups": (70, 64),
}
FLOATS_AND_INTEGERS = [mf.E4M3, mf.E3M2, mf.E2M1]


@pytest.fixture(autouse=True)
def one_multiprocessor() -> Iterator[None]:
    """Blocks go through several row blocks, and bounds that the first ones raise count."""
    emulated.set_multiprocessors(1)
    yield
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)


@pytest.fixture(params=[1, 2, 16])
def axes(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture(params=WAYS)
def shape(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Queries, and the dim of the rows."""
    return WAYS[request.param]


def framed(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], rows: int, axes: int
) -> Sides:
    """Rows with coordinates of any size, which leave some scores beyond -1 and 1."""
    queries, dim = shape
    x = normal(queries, dim, 1)
    database = mf.quantize(normal(rows, dim, 2), format)
    sides = sides_of(mf.quantize(x, format) if are_packed else x, database)
    of_a, of_b = normal(queries, axes, 3) * 0.7, normal(rows, axes, 4) * 0.7
    a, b = sides.a._replace(coordinates=of_a), sides.b._replace(coordinates=of_b)
    return sides._replace(a=a, b=b)


def assert_equal(format: mf.Format, dim: int, found: torch.Tensor, expected: torch.Tensor) -> None:
    """Scores have the same bits where sums are integers, and NaN in the same places."""
    off = may_be_off(dim) if format.lane == "float" else 0
    torch.testing.assert_close(found, expected, rtol=0, atol=off, equal_nan=True)


def test_scores_in_a_frame_are_those_of_the_plain_way(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], axes: int, cuda: Any
) -> None:
    # The last rows fill a row block in part.
    sides = framed(format, are_packed, shape, 133, axes)
    sides.b.norms[::11] = torch.nan
    assert sides.b.coordinates is not None
    sides.b.coordinates[5, axes - 1] = torch.nan
    asked = arguments(AllScores(sides))
    expected = plain_scores(*asked)
    assert expected[0, 5].isnan()
    assert (expected.abs() == 1).any()
    assert_equal(format, sides.dim, cuda.scores(*asked), expected)


def test_pairs_in_a_frame_score_as_in_the_plain_way(
    format: mf.Format, are_packed: bool, axes: int, cuda: Any
) -> None:
    sides = framed(format, are_packed, (20, 70), 60, axes)
    pairs = torch.stack([torch.arange(300) % 20, torch.arange(300) * 7 % 60], 1)
    for some in (pairs, pairs[:0]):
        asked = arguments(PairScores(sides, some))
        expected = implementation("eager", "pair_scores")(*asked)
        assert_equal(format, sides.dim, cuda.pair_scores(*asked), expected)


def test_searches_in_a_frame_find_the_best(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], axes: int, cuda: Any
) -> None:
    sides = framed(format, are_packed, shape, 333, axes)
    for k in (1, 40):
        assert_finds_the_best(cuda.search, sides, k)


def test_masks_and_ranges_choose_rows_in_a_frame(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], cuda: Any
) -> None:
    sides = framed(format, are_packed, shape, 420, 2)
    mask = torch.arange(420) % 3 > 0
    ranges = torch.tensor([[0, 2], [90, 310], [400, 419]])
    for chosen in (Selection(mask), Selection(mask, ranges)):
        assert_finds_the_best(cuda.search, sides, 10, chosen)


def test_what_coordinates_alone_make_high_is_found(
    integer_format: mf.Format, are_packed: bool, shape: tuple[int, int], cuda: Any
) -> None:
    # The higher the product of the codes, the lower the score; queries are all the same.
    sides = framed(integer_format, are_packed, shape, 420, 1)
    a = sides.a.some(torch.zeros(shape[0], dtype=torch.int64))._replace(coordinates=None)
    b = sides.b._replace(coordinates=None)
    products = plain_scores(*arguments(AllScores(sides._replace(a=a, b=b))))[0]
    wanted = 0.9 - products.argsort().argsort() / 500
    a = a._replace(coordinates=torch.ones(shape[0], 1))
    b = b._replace(coordinates=(wanted - products)[:, None])
    for k in (1, 40):
        assert_finds_the_best(cuda.search, sides._replace(a=a, b=b), k)


def test_nan_ties_and_scores_beyond_one_have_their_places_in_a_frame(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], cuda: Any
) -> None:
    queries, dim = shape
    x, few = normal(queries, dim, 1), normal(8, dim, 5)
    few[3], x[2] = 0, 0
    rows = mf.quantize(few[torch.arange(300) % 8], format)
    plain = sides_of(mf.quantize(x, format) if are_packed else x, rows)
    norms = plain.b.norms.clone()
    norms[3::50] = torch.nan
    # All scores of some queries are beyond 1, of some below -1, of some either.
    along = torch.tensor([3.0, -3.0, 0.25, 0.0])[torch.arange(queries) % 4, None]
    signs = torch.where(torch.arange(300) % 40 < 35, 1.0, -1.0)[:, None]
    for coordinates in (torch.ones(300, 1), signs, torch.full((300, 1), torch.nan)):
        a = plain.a._replace(coordinates=along)
        sides = plain._replace(a=a, b=Rows(rows.codes, norms, coordinates))
        for k in (40, 300):
            asked = arguments(Best(sides, ALL, k))
            (scores, found), (expected, expected_rows) = cuda.search(*asked), plain_search(*asked)
            assert_equal(format, dim, scores, expected)
            if format.lane != "float":
                assert torch.equal(found, expected_rows)


@pytest.mark.parametrize("format", FLOATS_AND_INTEGERS, ids=str)
def test_rows_that_a_search_in_a_frame_cannot_find_are_marked(
    format: mf.Format, shape: tuple[int, int], cuda: Any
) -> None:
    from minifloat import _cuda

    sides = framed(format, True, shape, 100, 2)
    queries = shape[0]
    for ranges in ([[7, 9]], []):
        chosen = torch.tensor(ranges, dtype=torch.int64).reshape(-1, 2)
        scores, found = torch.zeros(queries, 5), torch.zeros(queries, 5, dtype=torch.int64)
        asked = best_of(_cuda, Best(sides, Selection(None, chosen), 5))
        workspace = torch.empty(_cuda.best_workspace(asked), dtype=torch.uint8)
        memory = _cuda.Memory(workspace.data_ptr(), workspace.nbytes)
        _cuda.best(asked, memory, scores.data_ptr(), found.data_ptr(), 0)
        count = 2 * len(ranges)
        assert found[:, :count].sort().values.tolist() == [[7, 8][:count]] * queries
        assert found[:, count:].tolist() == [[-1] * (5 - count)] * queries
        assert scores.isnan().tolist() == [[False] * count + [True] * (5 - count)] * queries


@pytest.mark.parametrize("format", FLOATS_AND_INTEGERS, ids=str)
def test_more_rows_in_a_frame_than_are_found_at_once_are_found_in_rounds(
    format: mf.Format, are_packed: bool, cuda: Any
) -> None:
    assert_finds_the_best(cuda.search, framed(format, are_packed, (3, 9), 1300, 2), 1200)


def test_rows_in_a_frame_are_searched_in_parts(
    integer_format: mf.Format, cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import cuda as backend

    monkeypatch.setattr(backend, "_MOST_ROWS", 100)
    assert_finds_the_best(cuda.search, framed(integer_format, True, (3, 9), 250, 2), 10)


def test_every_chunk_of_queries_has_its_own_coordinates(cuda: Any) -> None:
    # More queries than a search lays out at once.
    sides = framed(mf.E2M1, True, (4100, 9), 40, 2)
    assert_finds_the_best(cuda.search, sides, 3)


def test_sums_that_no_int32_holds_have_coordinates_added(cuda: Any) -> None:
    sides = framed(mf.E2M1, True, (2, (1 << 18) + 70), 3, 2)
    asked = arguments(AllScores(sides))
    assert torch.equal(cuda.scores(*asked), plain_scores(*asked))
    assert_finds_the_best(cuda.search, sides, 2)


def test_a_frame_without_axes_adds_nothing(integer_format: mf.Format, cuda: Any) -> None:
    sides = framed(integer_format, True, (3, 9), 40, 0)
    asked = arguments(AllScores(sides))
    assert torch.equal(cuda.scores(*asked), plain_scores(*asked))
    assert_finds_the_best(cuda.search, sides, 5)
