import math
import re

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.ops import answer
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Rows, Sides
from minifloat.scoring.queries import rows_of
from tests.support import oracles
from tests.support.oracles import U
from tests.support.rows import DIMS, assert_same, normal, random_rows, rows_of_codes

pytestmark = pytest.mark.gpu


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
    message = "both sides must have one format, dim and frame; got dim 9 in e2m1 and dim 9 in e2m3"
    with pytest.raises(ValueError, match=f"^{message}$"):
        mf.scores(a, b)
    message = "both sides must have one format, dim and frame; got dim 9 in e2m1 and dim 8 in e2m1"
    with pytest.raises(ValueError, match=f"^{message}$"):
        mf.search(a, c, 1)
    with pytest.raises(TypeError, match=r"^the database must be PackedVectors; got Tensor$"):
        mf.scores(a, normal(3, 9))  # type: ignore[call-overload]
