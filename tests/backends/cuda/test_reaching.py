"""Rows that reach thresholds, by the CUDA kernels in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation, reaching
from minifloat.ops import arguments
from minifloat.ops.products import Above, AllScores
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.asking import NO_LIMIT
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import ALL, may_be_off, needs_emulator, plain_scores
from tests.support import emulated
from tests.support.rows import normal, random_rows

pytestmark = needs_emulator

# Queries and dims that one tile of a warp takes, to whose lanes rows stream or not, many tiles of
# it, and warpgroups.
SHAPES = {"tile": (3, 9), "stream": (3, 192), "tiles": (12, 70), "warpgroups": (70, 64)}

plain_above = implementation("eager", "range_search")


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SHAPES[request.param]


@pytest.fixture(params=[True, False], ids=["list", "blocks"], autouse=True)
def appends(request: pytest.FixtureRequest, cuda: Any) -> Iterator[bool]:
    from minifloat import _cuda

    wanted: bool = request.param
    _cuda.ways().appends_hits = wanted
    yield wanted
    _cuda.ways().appends_hits = True


@pytest.fixture
def any_order() -> Iterator[list[dict[str, bool]]]:
    yield [{"backward": b, "at_once": c} for b in (False, True) for c in (False, True)]
    emulated.set_order()


def some_sides(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], rows: int, axes: int = 0
) -> Sides:
    """Sides with ties, zero rows and NaN among them."""
    queries, dim = shape
    x, few = normal(queries, dim, 1), normal(rows, dim, 2)
    few[rows // 2 :] = few[: rows - rows // 2].clone()
    few[4], x[queries // 2] = 0, 0
    database = mf.quantize(few, format)
    sides = sides_of(mf.quantize(x, format) if are_packed else x, database)
    sides.b.norms[7::50] = torch.nan
    if not axes:
        return sides
    along = normal(queries, axes, 3) * 0.7, normal(rows, axes, 4) * 0.7
    a, b = (side._replace(coordinates=c) for side, c in zip(sides[:2], along, strict=True))
    return sides._replace(a=a, b=b)


def assert_finds_all(cuda: Any, asked: Above) -> None:
    """A search finds what the plain one does; floats may be off at a threshold."""
    found, expected = cuda.range_search(*arguments(asked)), plain_above(*arguments(asked))
    if mf.formats.as_format(asked.sides.format).lane != "float":
        for ours, theirs in zip(found, expected, strict=True):
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
            assert torch.equal(ours, theirs)
        return
    offsets, rows, reached = found
    scores = plain_scores(*arguments(AllScores(asked.sides)))
    query = torch.repeat_interleave(offsets.diff())
    off = may_be_off(asked.sides.dim)
    torch.testing.assert_close(reached, scores[query, rows], rtol=0, atol=off)
    matrix = torch.zeros_like(scores, dtype=torch.bool)
    matrix[query, rows] = True
    wanted = torch.zeros_like(matrix)
    wanted[torch.repeat_interleave(expected[0].diff()), expected[1]] = True
    near = (scores - asked.thresholds[:, None]).abs() <= off
    assert torch.equal(matrix | near, wanted | near)
    assert torch.equal(matrix.nonzero()[:, 1], rows)


def thresholds_of(sides: Sides) -> list[torch.Tensor]:
    """Thresholds that are scores, next to scores, and beyond all of them."""
    scores = plain_scores(*arguments(AllScores(sides))).nan_to_num(0)
    queries = len(scores)
    spread = torch.tensor([-torch.inf, -2.0, -1.0, -0.3, 0.0, 0.2, 0.9, 1.0, 1.1, torch.inf])
    some = scores[torch.arange(queries), torch.arange(queries) % scores.shape[1]]
    above = torch.nextafter(some, torch.full_like(some, 2.0))
    return [spread[torch.arange(queries) % len(spread)], some, above]


@pytest.mark.parametrize("axes", [0, 2])
def test_all_rows_that_reach_a_threshold_are_found(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], axes: int, cuda: Any
) -> None:
    # The last rows fill a row block in part.
    sides = some_sides(format, are_packed, shape, 333, axes)
    for thresholds in thresholds_of(sides):
        assert_finds_all(cuda, Above(sides, ALL, thresholds, NO_LIMIT))


def test_masks_and_ranges_choose_rows(
    format: mf.Format, are_packed: bool, shape: tuple[int, int], cuda: Any
) -> None:
    sides = some_sides(format, are_packed, shape, 420)
    thresholds = torch.full((shape[0],), -0.05)
    mask = torch.arange(420) % 3 > 0
    ranges = torch.tensor([[0, 2], [90, 310], [310, 310], [400, 419]])
    none = torch.empty(0, 2, dtype=torch.int64)
    for chosen in ((mask,), (None, ranges), (mask, ranges), (None, none), (mask & False,)):
        assert_finds_all(cuda, Above(sides, Selection(*chosen), thresholds, NO_LIMIT))


@pytest.mark.parametrize("axes", [0, 2])
def test_a_threshold_that_is_no_number_is_reached_by_nothing(
    format: mf.Format, shape: tuple[int, int], axes: int, cuda: Any
) -> None:
    sides = some_sides(format, True, shape, 100, axes)
    sides.b.norms[:] = 1e30
    thresholds = torch.full((shape[0],), torch.nan)
    # A backend that does not wait gets what the operator would refuse, had it looked.
    from minifloat.backends import cuda as backend

    found = backend.above(Above(sides, ALL, thresholds, NO_LIMIT))
    assert found.offsets.tolist() == [0] * (shape[0] + 1)


@pytest.mark.parametrize("count", [0, 1, 5, 1000])
def test_a_list_that_was_too_short_is_made_again(
    integer_format: mf.Format, count: int, cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "_ROOM", count)
    sides = some_sides(integer_format, True, (12, 70), 300)
    assert_finds_all(cuda, Above(sides, ALL, torch.full((12,), 0.1), NO_LIMIT))


def test_more_hits_than_the_limit_are_refused(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = some_sides(mf.E2M1, True, (12, 70), 300)
    asked = Above(sides, ALL, torch.full((12,), 0.1), NO_LIMIT)
    total = len(plain_above(*arguments(asked))[1])
    for room in (1, total, 5000):
        monkeypatch.setattr(reaching, "_ROOM", room)
        assert_finds_all(cuda, asked._replace(limit=total))
        for limit in (total - 1, 0):
            with pytest.raises(ValueError, match=f"^more than limit={limit} rows reach"):
                cuda.range_search(*arguments(asked._replace(limit=limit)))


def test_longer_databases_are_gone_through_in_parts(
    integer_format: mf.Format, cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import cuda as backend

    monkeypatch.setattr(backend, "_MOST_ROWS", 100)
    sides = some_sides(integer_format, True, (5, 9), 250, 2)
    chosen = Selection(torch.arange(250) % 3 > 0, torch.tensor([[1, 2], [90, 210], [240, 250]]))
    asked = Above(sides, chosen, torch.full((5,), 0.1), NO_LIMIT)
    total = len(plain_above(*arguments(asked))[1])
    assert_finds_all(cuda, asked._replace(limit=total))
    with pytest.raises(ValueError, match=f"^more than limit={total - 1} rows reach"):
        cuda.range_search(*arguments(asked._replace(limit=total - 1)))


def test_every_chunk_of_queries_has_numbers_and_thresholds_of_its_own(cuda: Any) -> None:
    # More queries than are laid out at once.
    sides = some_sides(mf.E2M1, True, (4100, 9), 40, 2)
    thresholds = torch.linspace(0.4, 1, 4100)
    assert_finds_all(cuda, Above(sides, ALL, thresholds, NO_LIMIT))


def test_rows_may_begin_at_any_byte(format: mf.Format, cuda: Any) -> None:
    rows, queries = random_rows(format, 100, 200, 1), random_rows(format, 9, 200, 2)
    for first in (1, 3, 8):
        bytes = torch.cat([torch.zeros(first, dtype=torch.uint8), rows.codes.flatten()])
        b = Rows(bytes[first:].view(rows.codes.shape), rows.reciprocal_norms)
        sides = sides_of(queries, rows)._replace(b=b)
        assert_finds_all(cuda, Above(sides, ALL, torch.full((9,), 0.03), NO_LIMIT))


def test_sums_that_no_int32_holds_are_compared(cuda: Any) -> None:
    sides = some_sides(mf.E2M1, True, (2, (1 << 18) + 70), 8)
    assert_finds_all(cuda, Above(sides, ALL, torch.full((2,), 0.0), NO_LIMIT))


def test_no_rows_and_no_queries_reach_nothing(integer_format: mf.Format, cuda: Any) -> None:
    some = random_rows(integer_format, 20, 9)
    for queries, rows in ((0, 20), (3, 0)):
        sides = sides_of(some[:queries], some[:rows])
        assert_finds_all(cuda, Above(sides, ALL, torch.zeros(queries), NO_LIMIT))


@pytest.mark.long
def test_no_order_of_threads_changes_an_answer(
    format: mf.Format, shape: tuple[int, int], cuda: Any, any_order: list[dict[str, bool]]
) -> None:
    sides = some_sides(format, True, shape, 700)
    asked = arguments(Above(sides, ALL, torch.full((shape[0],), 0.05), NO_LIMIT))
    found = []
    for order in any_order:
        emulated.set_order(**order)
        found.append(cuda.range_search(*asked))
    for other in found[1:]:
        assert all(torch.equal(x, y) for x, y in zip(found[0], other, strict=True))
