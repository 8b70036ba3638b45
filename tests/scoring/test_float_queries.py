"""Scores of queries that are floats, which become what the format's lane multiplies."""

import re

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.backends import implementation
from tests.support import oracles
from tests.support.oracles import U
from tests.support.rows import DIMS, assert_same, normal, random_rows

pytestmark = pytest.mark.gpu


def test_float_queries_are_as_precise_as_their_lane(format: mf.Format, backend: str) -> None:
    for dim in DIMS:
        queries, b = normal(5, dim, 1), random_rows(format, 6, dim, 2)
        x, y = queries.double().numpy(), oracles.values(b)
        norms = np.linalg.norm(x, axis=1, keepdims=True)
        step = 0 if format.lane == "float" else np.abs(x).max(1, keepdims=True) / _C.QUERY_MAX
        # A query that moves by d changes its direction by at most 2 * |d| / |query|: half a step
        # in each element, and the two roundings of its scaling.
        moved = 2 * (np.sqrt(dim) * step / 2 / norms + 2 * U)
        # The float lane's dot bound (the sizes of products add up to at most 1) and a query in two
        # bfloat16, each rounded by at most 2**-9 of itself; else one rounding of the dot. Then two
        # norms and two products, as above.
        dot = dim * U + 2.0**-18 if format.lane == "float" else U
        bound = 1.01 * (moved + dot + 4 * U)
        cosines = x @ y.T / norms / np.linalg.norm(y, axis=1)
        for dtype in (torch.float32, torch.float64):
            found = mf.scores(queries.to(dtype), b)
            assert found.dtype == torch.float32
            assert np.all(np.abs(found.double().numpy() - cosines) <= bound)


def test_float_queries_of_any_size_are_scored(format: mf.Format, backend: str) -> None:
    b = random_rows(format, 6, 33, 2)
    queries = normal(4, 33, 1).double().round(decimals=2)
    expected = mf.scores(queries, b)
    for exponent in (-1022, -300, -100, 100, 300, 1020):
        assert_same(mf.scores(queries * 2.0**exponent, b), expected)


def test_float_queries_become_the_nearest_steps_of_an_integer_lane(
    integer_format: mf.Format, backend: str
) -> None:
    b = random_rows(integer_format, 6, 65, 2)
    rng = np.random.default_rng(0)
    steps = rng.integers(1 - _C.QUERY_MAX, _C.QUERY_MAX, (5, 65))
    # With the largest magnitude that a query has, a step is 1.
    steps[:, 7] = _C.QUERY_MAX
    norms = (1 / np.sqrt((steps * steps).sum(1, keepdims=True))).astype(np.float32)
    dots = (steps @ oracles.fixed(b).T).astype(np.float32)
    unit = np.float32(integer_format.smallest_subnormal)
    expected = dots * unit * norms * b.reciprocal_norms.numpy()
    for away in (0.0, 0.4, -0.4):
        queries = steps + away * (steps != _C.QUERY_MAX)
        assert_same(mf.scores(queries, b), expected)
        assert_same(mf.scores(queries.astype(np.float32), b), expected)


def test_queries_that_are_not_float_rows_are_refused() -> None:
    b = random_rows(mf.E2M1, 3, 9)
    for queries, got in (
        (torch.zeros(2, 8), "float32 of shape (2, 8)"),
        (torch.zeros(9), "float32 of shape (9,)"),
        (torch.zeros(2, 9, dtype=torch.int16), "int16 of shape (2, 9)"),
    ):
        message = f"queries must be floating-point rows (rows, 9); got {got}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.scores(queries, b)


def test_queries_that_are_not_finite_are_refused_by_row() -> None:
    b = random_rows(mf.E2M1, 3, 9)
    for bad in (torch.nan, torch.inf, -torch.inf):
        queries = normal(4, 9)
        queries[2, 5] = bad
        message = "row 2 of queries holds NaN or infinity; all values must be finite"
        with pytest.raises(ValueError, match=f"^{message}$"):
            mf.scores(queries, b)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [1, 70, 3000])
def test_the_first_query_that_is_not_finite_is_named(
    format: mf.Format, count: int, threads: int
) -> None:
    x = normal(60, 33) + 1
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for frame in (None, mf.Frame.fit(x)):
            rows = mf.quantize(x, format, frame=frame)
            for bad in {0, count // 2, count - 1}:
                for value in (torch.nan, torch.inf, -torch.inf):
                    # Of several the first, whichever thread comes upon which first.
                    queries = normal(count, 33)
                    queries[bad, 32] = value
                    queries[-1, 0] = value
                    message = f"row {bad} of queries holds NaN or infinity; all values must be"
                    for dtype in (torch.float32, torch.float64, torch.bfloat16):
                        with pytest.raises(ValueError, match=f"^{message} finite$"):
                            mf.search(queries.to(dtype), rows, 2)
    finally:
        torch.set_num_threads(before)


def test_many_float_queries_are_taken_in_chunks_in_torch(
    format: mf.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_torch, queries = implementation("eager", "to_lane"), normal(17, 9)
    expected = in_torch(queries, format.name)
    monkeypatch.setattr("minifloat.backends.preparing._CHUNK", 40)
    for found, whole in zip(in_torch(queries, format.name), expected, strict=True):
        assert torch.equal(found, whole)
    queries[14, 3] = torch.nan
    with pytest.raises(ValueError, match="row 14 of queries holds NaN or infinity"):
        in_torch(queries, format.name)


def test_scores_and_searches_by_float_queries_are_compiled_without_a_break(
    format: mf.Format,
) -> None:
    torch.compiler.reset()
    rows, queries = random_rows(format, 20, 9), normal(3, 9)

    def asked(queries: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return mf.scores(queries, rows), *mf.search(queries, rows, 4)

    compiled = torch.compile(asked, backend="aot_eager", fullgraph=True)
    for found, expected in zip(compiled(queries), asked(queries), strict=True):
        assert torch.equal(found, expected)
