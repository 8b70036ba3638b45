"""What the CUDA backend is asked, as its operators take it."""

from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.formats import as_format
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring.queries import sides_of
from tests.support import emulated
from tests.support.rows import normal

needs_emulator = pytest.mark.skipif(not emulated.IS_HERE, reason=emulated.NOT_HERE)

# A search of all rows.
ALL = Selection()

plain_search, plain_scores = (implementation("eager", name) for name in ("search", "scores"))


def scores(a: mf.PackedVectors, b: mf.PackedVectors) -> tuple[Any, ...]:
    """The arguments of an operator that scores rows."""
    return arguments(AllScores(sides_of(a, b)))


def search(a: mf.PackedVectors, b: mf.PackedVectors, k: int, *chosen: Any) -> tuple[Any, ...]:
    """The arguments of an operator that searches rows."""
    return arguments(Best(sides_of(a, b), Selection(*chosen), k))


def assert_found(cuda: Any, asked: tuple[Any, ...]) -> None:
    """A search finds what the plain one does."""
    expected = implementation("eager", "search")(*asked)
    for ours, theirs in zip(cuda.search(*asked), expected, strict=True):
        assert torch.equal(ours, theirs)


def sides(format: mf.Format, are_packed: bool, queries: int, rows: int, dim: int) -> Sides:
    """Queries, packed or floats, and packed rows."""
    database = mf.quantize(normal(rows, dim, 2), format)
    a = normal(queries, dim, 1)
    return sides_of(mf.quantize(a, format) if are_packed else a, database)


def may_be_off(dim: int) -> float:
    """What scores of floats may be off, on each of two sides."""
    return 2 * (dim + 5) * 2.0**-24 + 2.0**-17


def assert_finds_the_best(search: Any, rows: Sides, k: int, chosen: Selection = ALL) -> None:
    """Search gives what the plain one does: its bits where sums are integers."""
    asked = arguments(Best(rows, chosen, k))
    (scores, found), (expected, expected_rows) = search(*asked), plain_search(*asked)
    if as_format(rows.format).lane != "float":
        assert torch.equal(found, expected_rows)
        torch.testing.assert_close(scores, expected, rtol=0, atol=0, equal_nan=True)
        return
    off = may_be_off(rows.dim)
    torch.testing.assert_close(scores, expected, rtol=0, atol=off, equal_nan=True)
    every = plain_scores(*arguments(AllScores(rows))).gather(1, found)
    torch.testing.assert_close(scores, every, rtol=0, atol=off, equal_nan=True)
    assert all(len(set(row)) == k for row in found.tolist())
