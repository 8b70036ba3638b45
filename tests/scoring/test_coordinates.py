"""What coordinates add to scores, of any number of axes, is what the definition in torch says."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops import answer, arguments
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection, Sides, element_dtype
from minifloat.scoring.queries import rows_of
from tests.support.rows import DIM, normal

pytestmark = pytest.mark.gpu

# More than one tile has.
ROWS, QUERIES = 150, 20
SELECTIONS = (
    Selection(),
    Selection(torch.arange(ROWS) % 3 > 0),
    Selection(None, torch.tensor([[1, 60], [60, 61], [70, 150]])),
    Selection(torch.arange(ROWS) % 2 > 0, torch.tensor([[0, 30], [64, 140]])),
)


def along(axes: int, rows: int, seed: int) -> Tensor:
    """Coordinates that decide, with gaps between one row's and the next one's."""
    return normal(rows, axes + 1, seed).div(axes**0.5)[:, 1:]


def sides_of(format: mf.Format, axes: int, *, packed: bool, queries: int = QUERIES) -> Sides:
    """Rows with ties, some with NaN or what is no cosine in them, and queries of a kind."""
    some, numbers = rows_of(mf.quantize(normal(40), format)), torch.arange(ROWS) % 40
    b = Rows(some.data[numbers], some.norms[numbers], along(axes, 40, 1)[numbers])
    x = normal(queries, seed=2)
    if packed:
        a = rows_of(mf.quantize(x, format))
    else:
        elements = x.mul(99).to(element_dtype(format.name))
        a = Rows(elements, 1 / elements.float().norm(dim=1))
    a = a._replace(coordinates=along(axes, queries, 3))
    assert a.coordinates is not None
    assert b.coordinates is not None
    a.coordinates[1, -1] = torch.nan
    b.norms[[0, 70]] = torch.nan
    b.coordinates[[2, 149], 0] = torch.nan
    b.coordinates[5, -1] = 1e9
    return Sides(a, b, format.name, DIM)


def every(format: mf.Format, queries: int = QUERIES) -> Iterator[Sides]:
    for axes, packed in product((1, 2, 16), (True, False)):
        yield sides_of(format, axes, packed=packed, queries=queries)


def by_definition(operator: str, asked: Any) -> Any:
    return implementation("eager", operator)(*arguments(asked))


def assert_close(found: Tensor, expected: Tensor, format: mf.Format) -> None:
    """Scores are equal bit for bit, or nearly, where no order of the sums of floats is promised."""
    tolerance = 2 * (DIM + 40) * 2.0**-24 if format.lane == "float" else 0
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance, equal_nan=True)


def assert_best(found: tuple[Tensor, Tensor], asked: Best, format: mf.Format) -> None:
    expected, (scores, rows) = by_definition("search", asked), found
    assert_close(scores, expected[0], format)
    if format.lane == "float":
        of_rows = by_definition("scores", AllScores(asked.sides)).gather(1, rows)
        assert_close(scores, of_rows, format)
    else:
        assert torch.equal(rows, expected[1])


@pytest.mark.parametrize("queries", [1, 130])
def test_all_scores(format: mf.Format, queries: int, backend: str) -> None:
    for sides in every(format, max(queries, 2)):
        asked = AllScores(sides._replace(a=sides.a.some(slice(queries))))
        expected = by_definition("scores", asked)
        assert (expected.isfinite() & (expected.abs() < 1)).any()
        assert_close(answer(asked), expected, format)


def test_scores_of_pairs(format: mf.Format, backend: str) -> None:
    i, j = torch.arange(ROWS) % QUERIES, torch.arange(ROWS).flip(0)
    for sides in every(format):
        for pairs in (torch.stack([i, j], 1), torch.tensor([[1, 2], [3, 5]])):
            asked = PairScores(sides, pairs)
            assert_close(answer(asked), by_definition("pair_scores", asked), format)


def test_best_of_rows_that_a_mask_and_ranges_leave(format: mf.Format, backend: str) -> None:
    for sides in every(format):
        for selection in SELECTIONS:
            asked = Best(sides, selection, 7)
            assert_best(answer(asked), asked, format)


def test_best_of_many_queries_and_as_many_as_there_are_rows(
    format: mf.Format, backend: str
) -> None:
    for sides in every(format, 130):
        asked = Best(sides, Selection(), 1)
        assert_best(answer(asked), asked, format)
        few = Best(sides._replace(a=sides.a.some(slice(3))), Selection(), ROWS)
        assert_best(answer(few), few, format)
