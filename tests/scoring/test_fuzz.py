"""Rows of any bytes, through all instruction sets: they agree, and search follows from scores."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray

import minifloat as mf
from minifloat import _C
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import AllScores
from minifloat.scoring.queries import sides_of
from tests.scoring.cases import Case, Side, cases
from tests.support import oracles
from tests.support.oracles import U
from tests.support.rows import rows_of_bytes
from tests.support.sets import TRIED

Answer = TypeVar("Answer")


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    threads, isa = torch.get_num_threads(), _C.isa()
    yield
    torch.set_num_threads(threads)
    _C.set_isa(isa)


def on_every_isa(answer: Callable[[], Answer]) -> list[Answer]:
    answers = []
    for isa in TRIED:
        _C.set_isa(isa)
        answers.append(answer())
    return answers


def assert_same(found: torch.Tensor, expected: torch.Tensor | NDArray[np.float32]) -> None:
    """Equal bit for bit, the sign of zero too, but for which NaN it is."""

    def bits(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
        assert scores.dtype == np.float32
        return np.where(np.isnan(scores), np.float32(np.nan), scores).view(np.uint32)

    np.testing.assert_array_equal(bits(found.numpy()), bits(np.asarray(expected)))


def decoded(side: Side) -> NDArray[np.float64]:
    return oracles.values(side) if isinstance(side, mf.PackedVectors) else side.double().numpy()


def cosines(a: Side, b: mf.PackedVectors) -> NDArray[np.float64]:
    """Cosines in float64: 0 for a row of zeros, NaN for one that is not finite."""
    unit = []
    for x in (decoded(a), decoded(b)):
        finite = np.isfinite(x).all(1, keepdims=True)
        x = np.where(finite, x, 0)
        norms = np.linalg.norm(x, axis=1, keepdims=True)
        unit.append(np.where(finite, x / np.where(norms > 0, norms, 1), np.nan))
    found: NDArray[np.float64] = unit[0] @ unit[1].T
    return found


def tolerance(a: Side, dim: int) -> float:
    """What the float lane may be off by; 1.01 covers products of errors."""
    if isinstance(a, mf.PackedVectors):
        return 1.01 * (dim + 5) * U
    # Scaling a query rounds twice, each of which may turn it by twice as much, and two bfloat16
    # stand for a value.
    return 1.01 * ((dim + 5) * U + 4 * U + 2.0**-18)


def descending(scores: torch.Tensor, chosen: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The first k of the chosen rows by a stable sort of the scores, NaN last."""
    keys = np.where(scores.isnan(), np.inf, -scores.numpy())[:, chosen]
    order: NDArray[np.int64] = chosen[keys.argsort(1, kind="stable")[:, :k]]
    return order


@hypothesis.given(case=cases())
def test_any_bytes_score_the_same_bits_on_every_instruction_set(
    integer_format: mf.Format, case: Case
) -> None:
    a, b = case.sides(integer_format)
    torch.set_num_threads(case.threads)
    found = on_every_isa(lambda: mf.scores(a, b))
    if isinstance(a, mf.PackedVectors):
        expected = oracles.cosines(a, b)
        plain = implementation("eager", "scores")(*arguments(AllScores(sides_of(a, b))))
        assert_same(plain, expected)
    else:
        expected = found[-1].numpy()
        assert np.array_equal(np.isnan(expected), np.isnan(cosines(a, b)))
    for scores in found:
        assert_same(scores, expected)


@pytest.mark.parametrize("format", [f for f in mf.FORMATS if f.lane == "float"], ids=str)
@hypothesis.given(case=cases())
def test_any_bytes_of_the_float_lane_score_within_the_bound_on_every_instruction_set(
    format: mf.Format, case: Case
) -> None:
    a, b = case.sides(format)
    torch.set_num_threads(case.threads)
    expected, bound = cosines(a, b), tolerance(a, case.dim)
    for scores in on_every_isa(lambda: mf.scores(a, b)):
        np.testing.assert_allclose(scores.double(), expected, rtol=0, atol=bound)


@hypothesis.given(
    case=cases(least=1),
    wanted=st.integers(1, 130),
    masked=st.sampled_from([None, 0.02, 0.5, 0.98]),
    cuts=st.none() | st.lists(st.integers(0, 130), max_size=6),
)
def test_any_bytes_are_searched_as_a_stable_sort_on_every_instruction_set(
    format: mf.Format, case: Case, wanted: int, masked: float | None, cuts: list[int] | None
) -> None:
    a, b = case.sides(format)
    torch.set_num_threads(case.threads)
    mask, ranges = None, None
    inside = np.ones(case.rows, np.bool_)
    if cuts is not None:
        edges = np.sort(np.minimum(cuts[: len(cuts) // 2 * 2], case.rows)).astype(np.int64)
        ranges = edges.reshape(-1, 2)
        inside = np.arange(case.rows) < 0
        for begin, end in ranges:
            inside[begin:end] = True
    if masked is not None:
        mask = np.random.default_rng(case.seed).random(case.rows) < masked
        inside &= mask
    chosen = inside.nonzero()[0]
    if len(chosen) == 0:
        with pytest.raises(ValueError, match=r"^mask and ranges leave none of [0-9]+ rows"):
            mf.search(a, b, 1, mask=mask, ranges=ranges)
        return
    k = min(wanted, len(chosen))
    found = on_every_isa(
        lambda: (mf.scores(a, b), *mf.search(a, b, k, mask=mask, ranges=ranges)),
    )
    for scores, best, rows in found:
        order = descending(scores, chosen, k)
        np.testing.assert_array_equal(rows, order)
        assert_same(best, np.take_along_axis(scores.numpy(), order, 1))
        if format.lane != "float":
            assert torch.equal(rows, found[0][2])


@hypothesis.given(case=cases(least=1), count=st.integers(0, 300))
def test_pairs_of_any_bytes_are_the_entries_of_the_matrix_on_every_instruction_set(
    format: mf.Format, case: Case, count: int
) -> None:
    a, b = case.sides(format)
    torch.set_num_threads(case.threads)
    rng = np.random.default_rng(case.seed)
    i, j = rng.integers(0, len(a), count), rng.integers(0, case.rows, count)
    if case.kind == "tied":
        i.sort()
    pairs = torch.from_numpy(np.stack([i, j], 1))
    for found, matrix, alone in on_every_isa(
        lambda: (mf.scores(a, b, pairs=pairs), mf.scores(a, b), mf.scores(a[:1], b))
    ):
        first = pairs[:, 0] == 0
        assert_same(found[first], alone[0, pairs[first, 1]])
        if format.lane == "float":
            # Few queries and many are added up in different orders.
            np.testing.assert_allclose(found, matrix[i, j], rtol=0, atol=2 * tolerance(a, case.dim))
        else:
            assert_same(found, matrix[i, j])


@hypothesis.given(case=cases(least=1), at=st.floats(0, 1))
def test_permuting_or_splitting_any_bytes_changes_no_bit_on_any_instruction_set(
    integer_format: mf.Format, case: Case, at: float
) -> None:
    a, b = case.sides(integer_format)
    torch.set_num_threads(case.threads)
    order = torch.from_numpy(np.random.default_rng(case.seed).permutation(case.rows))
    row, query = round(at * case.rows), round(at * len(a))
    k = case.rows // 2 + 1

    def check() -> None:
        whole = mf.scores(a, b)
        assert_same(mf.scores(a, b[order]), whole[:, order])
        assert_same(torch.cat([mf.scores(a, b[:row]), mf.scores(a, b[row:])], 1), whole)
        assert_same(torch.cat([mf.scores(a[:query], b), mf.scores(a[query:], b)]), whole)
        best, rows = mf.search(a, b, k)
        in_parts = mf.search(a, b, k, ranges=[(0, row), (row, case.rows)])
        assert_same(in_parts[0], best)
        assert torch.equal(in_parts[1], rows)

    on_every_isa(check)


@hypothesis.given(case=cases(least=1))
def test_the_number_of_threads_changes_no_bit_on_any_instruction_set(
    format: mf.Format, case: Case
) -> None:
    a, b = case.sides(format)

    def check() -> None:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append((mf.scores(a, b), *mf.search(a, b, case.rows)))
        for scores, best, rows in found[1:]:
            assert_same(scores, found[0][0])
            assert_same(best, found[0][1])
            assert torch.equal(rows, found[0][2])

    on_every_isa(check)


@hypothesis.given(case=cases())
def test_any_bytes_are_read_alike_on_every_instruction_set(format: mf.Format, case: Case) -> None:
    _, rows = case.sides(format)
    torch.set_num_threads(case.threads)
    codes = oracles.unpack(rows.codes.numpy(), format.bits, case.dim)
    values = oracles.decode(codes, format)
    with np.errstate(divide="ignore"):
        norms = 1 / np.sqrt((values.astype(np.float64) ** 2).sum(1))
    norms[np.isinf(norms)] = 0
    norms[~np.isfinite(values).all(1)] = np.nan

    def check() -> torch.Tensor:
        np.testing.assert_array_equal(mf.unpack(rows.codes, format, case.dim), codes)
        np.testing.assert_array_equal(
            mf.pack(torch.from_numpy(codes), format), oracles.pack(codes, format.bits)
        )
        assert_same(mf.decode(torch.from_numpy(codes), format), values)
        again = rows_of_bytes(rows.codes, format, case.dim)
        assert_same(again.dequantize(), values)
        np.testing.assert_allclose(again.reciprocal_norms, norms, rtol=1.01 * U, atol=0)
        return again.reciprocal_norms

    found = on_every_isa(check)
    for others in found[1:]:
        assert_same(others, found[0].numpy())
