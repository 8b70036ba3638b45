import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf
from minifloat import _C
from minifloat.ops import answer
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Rows, Sides
from minifloat.scoring.queries import rows_of
from tests.support import oracles

pytestmark = pytest.mark.gpu

DIMS = [1, 7, 9, 15, 17, 31, 33, 63, 65, 192, 511, 2183]

# Half the distance between neighbouring float32 numbers at 1: what one rounding costs at most.
U = 2.0**-24


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def normal(rows: int, dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def random_rows(format: mf.Format, rows: int, dim: int, seed: int = 0) -> mf.PackedVectors:
    return mf.quantize(normal(rows, dim, seed), format)


def rows_of_codes(codes: NDArray[np.uint8], format: mf.Format) -> mf.PackedVectors:
    """Rows of any codes, also of those that `quantize` would refuse to make."""
    packed = torch.from_numpy(oracles.pack(codes, format.bits))
    dim = codes.shape[1]
    norms = torch.ops.minifloat.reciprocal_norms(packed, format.name, dim)
    return mf.PackedVectors(packed, norms, format, dim)


def assert_same(found: Any, expected: Any) -> None:
    """Equal bit for bit, but for which NaN it is."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_integer_lanes_give_the_contracts_scores_bit_for_bit(
    integer_format: mf.Format, backend: str
) -> None:
    for dim in DIMS:
        a, b = random_rows(integer_format, 5, dim, 1), random_rows(integer_format, 6, dim, 2)
        assert_same(mf.scores(a, b), oracles.cosines(a, b))


def test_every_code_is_scored_bit_for_bit(integer_format: mf.Format, backend: str) -> None:
    codes = np.arange(2**integer_format.bits, dtype=np.uint8)
    rng = np.random.default_rng(0)
    a = rows_of_codes(np.stack([rng.permutation(codes) for _ in range(3)]), integer_format)
    b = rows_of_codes(codes[:, None].repeat(len(codes), 1), integer_format)
    assert_same(mf.scores(a, b), oracles.cosines(a, b))


def test_scores_of_the_float_lane_are_within_their_bound(format: mf.Format, backend: str) -> None:
    for dim in DIMS:
        a, b = random_rows(format, 5, dim, 1), random_rows(format, 6, dim, 2)
        x, y = oracles.values(a), oracles.values(b)
        norms = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
        sizes = np.abs(x) @ np.abs(y).T / norms
        # The dot's own bound, two rounded norms and two products; 1.01 covers products of errors.
        bound = 1.01 * U * (dim * sizes + 4)
        assert np.all(np.abs(mf.scores(a, b).double().numpy() - x @ y.T / norms) <= bound)


def power_of_two_above(x: float) -> float:
    """What a product is divided by with no rounding, so that it is no larger than a cosine."""
    return float(2 ** math.ceil(math.log2(x)))


@pytest.mark.parametrize("integer_format", [mf.E3M4, mf.E3M2, mf.E2M3], ids=str)
def test_sums_beyond_an_int32_are_exact(integer_format: mf.Format, backend: str) -> None:
    largest = round(integer_format.max * 2**integer_format.fraction_bits)
    groups = (2**31 - 1) // largest**2 // 8 + 2
    dim = 8 * groups
    code = int(np.flatnonzero(integer_format.values == integer_format.max)[0])
    group = np.full((2, 8), code, np.uint8)
    group[1, -3:] = code | 2 ** (integer_format.bits - 1)
    # Eight codes are whole bytes: the rows are the largest value, but for three at the end.
    plus, last = oracles.pack(group, integer_format.bits)
    packed = torch.from_numpy(np.tile(plus, (2, groups)))
    packed[1, -len(last) :] = torch.from_numpy(last)
    norms = torch.tensor([0.5, 0.25]) / power_of_two_above(dim**0.5 * integer_format.max)
    found = mf.scores(*[mf.PackedVectors(packed, norms, integer_format, dim)] * 2)
    same, other = dim * largest**2, (dim - 6) * largest**2
    unit = np.float32(integer_format.smallest_subnormal) ** 2
    dots = np.array([[same, other], [other, same]]).astype(np.float32)
    assert_same(found, dots * unit * norms.numpy()[:, None] * norms.numpy())


def test_sums_with_float_queries_beyond_an_int32_are_exact(
    integer_format: mf.Format, backend: str
) -> None:
    largest = round(integer_format.max * 2**integer_format.fraction_bits)
    exact = (2**31 - 1) // (largest * _C.QUERY_MAX)
    code = int(np.flatnonzero(integer_format.values == integer_format.max)[0])
    for dim in (exact, exact + 1, 2 * exact + 3, 5000):
        rows = rows_of_codes(np.full((1, dim), code, np.uint8), integer_format)
        queries = torch.full((2, dim), -_C.QUERY_MAX, dtype=torch.int16)
        queries[1, : dim // 3] = _C.QUERY_MAX - 1
        dots = queries.numpy().astype(np.int64).sum(1, keepdims=True) * largest
        norms = torch.tensor([0.5, 0.25]) / power_of_two_above(dim**0.5 * _C.QUERY_MAX)
        sides = Rows(queries, norms), rows_of(rows)
        found = answer(AllScores(Sides(*sides, integer_format.name, dim)))
        unit = np.float32(integer_format.smallest_subnormal)
        expected = dots.astype(np.float32) * unit * norms.numpy()[:, None]
        assert_same(found, expected * rows.reciprocal_norms.numpy())


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


def test_splitting_or_permuting_rows_changes_nothing(
    integer_format: mf.Format, backend: str
) -> None:
    a, b = random_rows(integer_format, 70, 31, 1), random_rows(integer_format, 150, 31, 2)
    whole = mf.scores(a, b)
    for cut in (1, 63, 64, 69):
        assert_same(torch.cat([mf.scores(a[:cut], b), mf.scores(a[cut:], b)]), whole)
        assert_same(torch.cat([mf.scores(a, b[:cut]), mf.scores(a, b[cut:])], 1), whole)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(3))
    assert_same(mf.scores(a, b[order]), whole[:, order])
    assert_same(mf.scores(a[order[order < 70]], b), whole[order[order < 70]])


def test_the_number_of_threads_changes_nothing(format: mf.Format, threads: None) -> None:
    a, b = random_rows(format, 70, 33, 1), random_rows(format, 300, 33, 2)
    pairs = torch.randint(0, 70, (9000, 2), generator=torch.Generator().manual_seed(0))
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append((mf.scores(a, b), mf.scores(a, b, pairs=pairs), mf.scores(normal(9, 33), b)))
    for other in found[1:]:
        for x, y in zip(found[0], other, strict=True):
            assert_same(x, y)


def test_scores_are_symmetric(integer_format: mf.Format, backend: str) -> None:
    a, b = random_rows(integer_format, 40, 65, 1), random_rows(integer_format, 50, 65, 2)
    forth, back = mf.scores(a, b).double(), mf.scores(b, a).T.double()
    # One exact dot, but two products in another order: each side is within two roundings.
    assert torch.all((forth - back).abs() <= 1.01 * 4 * U * forth.abs())
    own = mf.scores(a, a).double()
    assert torch.all((own - own.T).abs() <= 1.01 * 4 * U * own.abs())
    # The dot is rounded, and so are both norms and both products.
    assert torch.all((own.diagonal() - 1).abs() <= 1.01 * 5 * U)


def test_rows_score_among_themselves_as_with_a_copy(
    format: mf.Format, backend: str, threads: None
) -> None:
    for count in (1, 5, 47, 48, 65, 200):
        rows = random_rows(format, count, 65)
        copy = mf.PackedVectors(rows.codes.clone(), rows.reciprocal_norms, rows.format, rows.dim)
        for number in (1, 3):
            torch.set_num_threads(number)
            found, expected = mf.scores(rows, rows), mf.scores(rows, copy)
            if format.lane == "float":
                torch.testing.assert_close(found, expected, rtol=0, atol=2 * (65 + 2) * U)
            else:
                assert_same(found, expected)


def test_more_rows_than_are_laid_out_at_once_score_among_themselves() -> None:
    rows = random_rows(mf.E2M3, 4200, 9)
    found = mf.scores(rows, rows)
    for first in (0, 4000):
        assert_same(found[first : first + 200], mf.scores(rows[first : first + 200], rows))


def test_scores_go_to_the_memory_that_is_given(format: mf.Format, backend: str) -> None:
    rows, queries = random_rows(format, 30, 19), normal(12, 19)
    for side in (rows, queries, queries.numpy()):
        for buffer in (torch.full((12, 30), torch.nan), np.full((12, 30), np.nan, np.float32)):
            for first in (0, 3):
                part = side[first : first + 9]
                out = buffer[: len(part)]
                assert mf.scores(part, rows, out=out) is out
                assert_same(out, mf.scores(part, rows))
                assert np.isnan(np.asarray(buffer)[9:]).all()


def test_memory_that_cannot_take_the_scores_is_refused() -> None:
    rows = random_rows(mf.E2M1, 3, 9)
    frozen = np.zeros((3, 3), np.float32)
    frozen.flags.writeable = False
    for out, given in (
        (frozen, "read-only float32"),
        (np.zeros((3, 3), ">f4"), ">f4"),
        (np.zeros((3, 6), np.float32)[:, ::2], "not contiguous float32"),
    ):
        message = f"out must be a writable, C-contiguous float32 array; got {given}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.scores(rows, rows, out=out)
    with pytest.raises(
        ValueError, match=r"^out takes the matrix of all scores; got pairs as well$"
    ):
        mf.scores(rows, rows, pairs=np.zeros((1, 2), np.int64), out=torch.zeros(1))  # type: ignore[call-overload]


def test_pairs_are_the_entries_of_the_matrix(format: mf.Format, backend: str) -> None:
    b = random_rows(format, 30, 17, 2)
    generator = torch.Generator().manual_seed(0)
    # Those of C++ are shared out to threads.
    count = 3000 if backend in _C.available_isas() else 300
    # Two orders of a sum of 17 products, whose sizes add up to at most 1, and their products.
    tolerance = 2 * (17 + 4) * U if format.lane == "float" else 0

    def check(found: Any, expected: Any) -> None:
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)

    for a in (random_rows(format, 20, 17, 1), normal(20, 17, 1)):
        matrix = mf.scores(a, b)
        i = torch.randint(0, 20, (count,), generator=generator)
        j = torch.randint(0, 30, (count,), generator=generator)
        pairs = torch.stack([i, j], 1)
        check(mf.scores(a, b, pairs=pairs), matrix[i, j])
        check(mf.scores(a, b, pairs=pairs.numpy()), matrix[i, j])
        by_first = pairs[i.argsort()]
        check(mf.scores(a, b, pairs=by_first), matrix[by_first[:, 0], by_first[:, 1]])
        strided = torch.stack([j, i])[[1, 0]].T
        check(mf.scores(a, b, pairs=strided), matrix[i, j])
        assert mf.scores(a, b, pairs=pairs[:0]).shape == (0,)


def test_pairs_that_name_no_rows_are_refused(backend: str) -> None:
    a, b = random_rows(mf.E2M1, 3, 9), random_rows(mf.E2M1, 5, 9)
    for side in (a, normal(3, 9)):
        for pair, message in (
            ([3, 0], "pairs must name rows 0..2 of a; got 3"),
            ([-1, 0], "pairs must name rows 0..2 of a; got -1"),
            ([0, 5], "pairs must name rows 0..4 of b; got 5"),
            ([0, -7], "pairs must name rows 0..4 of b; got -7"),
        ):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                mf.scores(side, b, pairs=torch.tensor([[0, 0], pair, [1, 1]]))


def test_pairs_of_another_kind_are_refused(backend: str) -> None:
    a, b = random_rows(mf.E2M1, 3, 9), random_rows(mf.E2M1, 5, 9)
    for shape in ((2,), (4, 1), (4, 3), (4, 0), (1, 2, 2), ()):
        message = f"pairs must have shape (n, 2); got {shape}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.scores(a, b, pairs=torch.zeros(shape, dtype=torch.int64))
    for dtype in (torch.int32, torch.float32, torch.bool):
        message = f"pairs must be int64; got {str(dtype).removeprefix('torch.')}"
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.scores(a, b, pairs=torch.full((4, 2), torch.nan).to(dtype))
    with pytest.raises(TypeError, match=r"^expected a torch tensor or a NumPy array; got list$"):
        mf.scores(a, b, pairs=[[0, 0]])


def test_a_zero_row_scores_zero(format: mf.Format, backend: str) -> None:
    x, y = normal(5, 17, 1), normal(6, 17, 2)
    x[3], y[2] = 0, 0
    for a in (mf.quantize(x, format), x):
        found = mf.scores(a, mf.quantize(y, format))
        assert found[3].tolist() == [0] * 6
        assert found[:, 2].tolist() == [0] * 5
        assert found.count_nonzero() == 4 * 5


@pytest.mark.parametrize("format", [f for f in mf.FORMATS if f.specials != "none"], ids=str)
def test_a_row_that_is_not_finite_scores_nan(
    format: mf.Format, backend: str, in_any_order: bool
) -> None:
    special = np.flatnonzero(~np.isfinite(format.values)).astype(np.uint8)
    codes = np.random.default_rng(0).choice(special[0], (len(special) + 5, 19)).astype(np.uint8)
    for row, code in enumerate(special):
        codes[row, row % 19] = code
    rows = rows_of_codes(codes, format)
    bad = np.arange(len(codes)) < len(special)
    assert rows.reciprocal_norms.isnan().numpy().tolist() == bad.tolist()
    other = random_rows(format, 4, 19, 1)
    for found in (
        mf.scores(rows, other),
        mf.scores(other, rows).T,
        mf.scores(normal(4, 19), rows).T,
    ):
        assert np.array_equal(found.isnan().numpy(), bad[:, None].repeat(4, 1))
    if not in_any_order:
        good = rows[len(special) :]
        assert_same(mf.scores(other, good), mf.scores(other, rows)[:, len(special) :])
    zero = mf.quantize(torch.zeros(1, 19), format)
    assert np.array_equal(mf.scores(zero, rows)[0].isnan().numpy(), bad)


def test_overflow_without_saturation_scores_nan(backend: str) -> None:
    x = normal(3, 9)
    x[1, 4] = 1e9
    for format in (mf.E5M2, mf.E4M3, mf.E3M4):
        rows = mf.quantize(x, format, scale="none", saturate=False)
        assert rows.reciprocal_norms.isnan().tolist() == [False, True, False]
        assert mf.scores(rows, rows).isnan().sum() == 5


def test_no_rows_give_no_scores(format: mf.Format, backend: str) -> None:
    rows = random_rows(format, 4, 9)
    assert mf.scores(rows[:0], rows).shape == (0, 4)
    assert mf.scores(rows, rows[:0]).shape == (4, 0)
    assert mf.scores(rows[:0], rows[:0]).shape == (0, 0)
    assert mf.scores(normal(0, 9), rows).shape == (0, 4)
    assert mf.scores(normal(4, 9), rows[:0]).shape == (4, 0)
    none = torch.zeros(0, 2, dtype=torch.int64)
    assert mf.scores(rows[:0], rows[:0], pairs=none).shape == (0,)


def test_numpy_queries_give_a_numpy_answer(format: mf.Format, backend: str) -> None:
    rows, queries = random_rows(format, 4, 9), normal(5, 9, 1)
    found = mf.scores(queries.numpy(), rows)
    assert isinstance(found, np.ndarray)
    assert_same(found, mf.scores(queries, rows))
    pairs = torch.tensor([[4, 3]])
    assert isinstance(mf.scores(queries.numpy(), rows, pairs=pairs), np.ndarray)
    assert isinstance(mf.scores(rows, rows, pairs=pairs[:, :1].expand(1, 2) - 1), torch.Tensor)


def test_queries_of_any_stride_are_scored(format: mf.Format, backend: str) -> None:
    rows, queries = random_rows(format, 4, 9), normal(9, 10, 1)
    strided = queries.T[1:, :9][::2]
    assert_same(mf.scores(strided, rows), mf.scores(strided.contiguous(), rows))
    wide = random_rows(format, 12, 9)
    sparse = mf.PackedVectors(wide.codes[::3], wide.reciprocal_norms[::3], format, 9)
    assert_same(mf.scores(sparse, wide[::2]), mf.scores(wide, wide)[::3, ::2])


def test_sides_that_do_not_match_are_refused() -> None:
    a, b, c = random_rows(mf.E2M1, 3, 9), random_rows(mf.E2M3, 3, 9), random_rows(mf.E2M1, 3, 8)
    message = "both sides must have one format and dim; got dim 9 in e2m1 and dim 9 in e2m3"
    with pytest.raises(ValueError, match=f"^{message}$"):
        mf.scores(a, b)
    message = "both sides must have one format and dim; got dim 9 in e2m1 and dim 8 in e2m1"
    with pytest.raises(ValueError, match=f"^{message}$"):
        mf.search(a, c, 1)
    with pytest.raises(TypeError, match=r"^the database must be PackedVectors; got Tensor$"):
        mf.scores(a, normal(3, 9))  # type: ignore[call-overload]


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


def test_many_float_queries_are_taken_in_chunks_as_one_after_the_other(
    format: mf.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, queries = random_rows(format, 20, 9), normal(17, 9)
    expected = mf.scores(queries, rows)
    monkeypatch.setattr("minifloat.scoring.queries._CHUNK", 40)
    assert torch.equal(mf.scores(queries, rows), expected)
    queries[14, 3] = torch.nan
    with pytest.raises(ValueError, match="row 14 of queries holds NaN or infinity"):
        mf.scores(queries, rows)
