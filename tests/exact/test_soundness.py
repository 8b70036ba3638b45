"""Cosines lie within the bounds that codes give, even of rows made to be at their ends."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

import minifloat as mf
from minifloat.angles import ANGLES
from minifloat.ops import answer
from minifloat.ops.products import AllScores
from minifloat.scoring.exact.bounds import Bounds, queries_of
from minifloat.scoring.queries import sides_of
from tests.exact.brute import assert_best, clustered, cosines, in_a_cone, kinds
from tests.proofs.exact_queries import KINDS, misses
from tests.support.rows import normal


def assert_within(queries: torch.Tensor, rows: mf.PackedVectors, x: torch.Tensor) -> torch.Tensor:
    """All cosines are within their bounds; returns how far below the most that they can be."""
    bounds = Bounds(queries_of(queries, sides_of(queries, rows).a, rows), rows)
    exact = cosines(queries, x)
    query, row = torch.cartesian_prod(*map(torch.arange, exact.shape)).unbind(1)
    made = answer(AllScores(bounds.sides()))
    assert bool((bounds.most(query, made.flatten()) >= exact.flatten()).all())
    least, most = bounds.of_pairs(query, row)
    assert bool((least <= exact.flatten()).all())
    assert bool((most >= exact.flatten()).all())
    # Fewer rows may be as high than a pass leaves, but for margins that are counted twice.
    assert bool((most <= bounds.most(query, made.flatten()) + 1e-3).all())
    return (most - exact.flatten()).reshape(exact.shape)


@hypothesis.given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.sampled_from([1, 2, 3, 16, 17, 48, 65, 200]),
    format=st.sampled_from(mf.FORMATS),
    cone=st.booleans(),
    size=st.sampled_from([1.0, 1e-30, 1e30]),
)
@hypothesis.settings(max_examples=20)
def test_every_cosine_is_within_its_bounds(
    seed: int, dim: int, format: mf.Format, cone: bool, size: float
) -> None:
    x = clustered(510, dim, seed % 1000) * size
    x = in_a_cone(x / size) if cone else x
    queries = torch.cat([x[:5], normal(5, dim, seed % 997) * size, x[200:203] + x[300:303]])
    for rows in kinds(x, format) if dim > 16 else [mf.quantize(x, format, errors=True)]:
        assert_within(queries, rows, x)


def at_the_end(
    codes: torch.Tensor, query: torch.Tensor, format: mf.Format, towards: torch.Tensor
) -> torch.Tensor:
    """Rows that round to codes and lie as far from their values, in the query's plane, as they can.

    towards: 1 or -1, whether a row is nearer to the query than its codes or farther, float64.
    """
    values = mf.decode(codes, format).double()
    lengths = values.norm(dim=1, keepdim=True)
    along = values / lengths
    across = query.double() - (along @ query.double())[:, None] * along
    across = across / across.norm(dim=1, keepdim=True) * towards[:, None]

    def turned(angle: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = lengths * (along * angle.cos()[:, None])
        found += lengths * (across * angle.sin()[:, None])
        return found

    low, high = torch.zeros(len(codes), dtype=torch.float64), torch.full((len(codes),), 0.5)
    for _ in range(60):
        middle = (low + high) / 2
        same = (mf.encode(turned(middle), format) == codes).all(1)
        low, high = torch.where(same, middle, low), torch.where(same, high.double(), middle)
    return turned(low)


@pytest.mark.parametrize("dim", [3, 8, 24])
def test_rows_at_the_ends_of_their_bounds_are_found(format: mf.Format, dim: int) -> None:
    generator = torch.Generator().manual_seed(dim)
    # Of values that are about as large, or a few would decide.
    last = len(format.finite) - 1
    first = max(1, last - (4 << format.mantissa_bits))
    codes = torch.randint(first, last, (600, dim), generator=generator)
    codes += torch.randint(0, 2, (600, dim), generator=generator) << (format.bits - 1)
    codes = codes.to(torch.uint8)
    query = normal(1, dim, 4)
    towards = torch.where(torch.arange(600) % 2 > 0, 1.0, -1.0).double()
    x = at_the_end(codes, query[0], format, towards)
    rows = mf.quantize(x, format, scale="none", errors=True)
    assert torch.equal(mf.unpack(rows.codes, format, dim), codes)
    below = assert_within(query, rows, x)[0]
    # These are at the ends, but for the step from one byte to the next and the query's own angle.
    assert rows.errors is not None
    step = (ANGLES[rows.errors.long()] - ANGLES[(rows.errors.long() - 1).clamp(min=0)]) + 0.01
    assert bool((below[1::2] <= step[1::2]).all())
    assert bool((below[::2] > 0).all())
    found = mf.search(query, rows, 40, originals=x, return_stats=True)
    assert_best(found, query, x, None)
    # Or all would be found by their codes, and bounds would prove nothing.
    _, by_codes = mf.search(query, rows, 40)
    assert by_codes.tolist() != found[1].tolist()


def test_one_byte_less_would_not_be_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal(3000, 8)
    query = normal(1, 8, 4)
    codes = mf.unpack(mf.quantize(x, "e2m1").codes, "e2m1", 8)
    x = at_the_end(codes, query[0], mf.E2M1, torch.ones(3000, dtype=torch.float64))
    rows = mf.quantize(x, "e2m1", scale="none", errors=True)
    assert_within(query, rows, x)
    assert rows.errors is not None
    rows.errors[rows.errors > 1] -= 2
    with pytest.raises(AssertionError):
        assert_within(query, rows, x)


def test_thousands_of_queries_miss_nothing() -> None:
    found = [misses(500, kind, format) for kind in KINDS for format in (mf.E2M1, mf.E4M3)]
    assert found == [0] * len(found)
