import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.oracles import U
from tests.support.rows import assert_same, normal

# Both sides of a frame of two axes, at a dim that is turned by its ends, and one that is not.
DIMS = [13, 48]


def framed(
    format: mf.Format, dim: int, rows: int = 60, queries: int = 20
) -> tuple[torch.Tensor, mf.PackedVectors, mf.PackedVectors]:
    x = normal(rows + queries, dim) + 2 * normal(1, dim, seed=5)
    frame = mf.Frame.fit(x, 2)
    packed = mf.quantize(x, format, frame=frame)
    return x[:queries], packed[:queries], packed[queries:]


def in_float64(rows: mf.PackedVectors) -> torch.Tensor:
    """What rows in a frame stand for, in the frame: coordinates, and the rest."""
    assert rows.coordinates is not None
    codes = torch.ops.minifloat.unpack(rows.codes, rows.format.name, rows.dim)
    values = torch.ops.minifloat.decode(codes, rows.format.name).double()
    rest = values * rows.reciprocal_norms.double()[:, None]
    return torch.cat([rows.coordinates.double(), rest], 1)


@pytest.mark.gpu
@pytest.mark.parametrize("dim", DIMS)
def test_scores_in_a_frame_are_products_of_coordinates_and_of_the_rest(
    format: mf.Format, dim: int, backend: str
) -> None:
    _, a, b = framed(format, dim)
    expected = (in_float64(a) @ in_float64(b).T).clamp(-1, 1)
    # Two products and two sums, and of floats the sum of dim products on each side.
    roundings = 6 + (2 * dim if format.lane == "float" else 0)
    found = mf.scores(a, b)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2 * roundings * U)
    pairs = torch.tensor([[0, 5], [3, 0], [19, 59], [19, 1]])
    of_pairs = mf.scores(a, b, pairs=pairs)
    torch.testing.assert_close(
        of_pairs, found[pairs[:, 0], pairs[:, 1]], rtol=0, atol=roundings * U
    )


@pytest.mark.gpu
def test_search_in_a_frame_is_a_sort_of_the_scores(integer_format: mf.Format, backend: str) -> None:
    x, a, b = framed(integer_format, 48)
    for queries in (a, x):
        scores = mf.scores(queries, b)
        best, rows = mf.search(queries, b, 7)
        order = np.argsort(-scores.numpy(), axis=1, kind="stable")[:, :7]
        np.testing.assert_array_equal(rows.numpy(), order)
        assert_same(best, np.take_along_axis(scores.numpy(), order, 1))
        mask = torch.arange(len(b)) % 2 > 0
        assert (mf.search(queries, b, 7, mask=mask)[1] % 2 == 1).all()


def test_rows_in_a_frame_scored_with_themselves_have_the_bits_of_others(
    integer_format: mf.Format, isa: str
) -> None:
    _, _, b = framed(integer_format, 48, rows=130)
    copy = mf.PackedVectors.cat([b])
    assert_same(mf.scores(b, b), mf.scores(copy, b))


@pytest.mark.gpu
def test_instruction_sets_threads_and_batches_have_the_same_bits_in_a_frame(
    integer_format: mf.Format, backend: str
) -> None:
    x, a, b = framed(integer_format, 48)
    from minifloat.backends import implementation
    from minifloat.ops import arguments
    from minifloat.ops.products import AllScores
    from minifloat.scoring.queries import sides_of

    for queries in (a, x):
        whole = mf.scores(queries, b)
        parts = torch.cat([mf.scores(queries[i : i + 1], b) for i in range(len(queries))])
        assert_same(parts, whole)
        of_eager = implementation("eager", "scores")(*arguments(AllScores(sides_of(queries, b))))
        assert_same(whole, of_eager)


def test_float_queries_in_a_frame_score_as_their_cosines(format: mf.Format) -> None:
    x, _, b = framed(format, 48)
    rows = b.dequantize().double()
    expected = torch.nn.functional.normalize(x.double(), dim=1) @ rows.T
    torch.testing.assert_close(mf.scores(x, b).double(), expected.clamp(-1, 1), rtol=0, atol=1e-4)


def test_sides_in_other_frames_are_refused_by_name() -> None:
    x = normal(20, 48) + 1
    one, other = mf.Frame.fit(x), mf.Frame.fit(x, 2)
    rows = mf.quantize(x, "e2m1", frame=one)
    for queries, kind in (
        (mf.quantize(x, "e2m1", frame=other), f"dim 48 in e2m1 in frame {other.digest}"),
        (mf.quantize(x, "e2m1"), "dim 48 in e2m1"),
    ):
        with pytest.raises(ValueError, match=f"got {kind} and .* in frame {one.digest}"):
            mf.scores(queries, rows)
        with pytest.raises(ValueError, match=f"in frame {one.digest} and {kind}"):
            mf.search(rows, queries, 1)


def test_queries_that_are_not_finite_are_refused_in_a_frame_too() -> None:
    x, _, b = framed(mf.E2M1, 48)
    x[3, 1] = torch.nan
    with pytest.raises(ValueError, match="row 3 of queries holds NaN"):
        mf.search(x, b, 1)


def test_no_queries_find_nothing_in_a_frame() -> None:
    x, a, b = framed(mf.E2M1, 48)
    for none in (x[:0], a[:0]):
        assert mf.scores(none, b).shape == (0, 60)
        assert mf.search(none, b, 2)[1].shape == (0, 2)


def test_four_bits_decide_in_a_cone_as_floats_do() -> None:
    # Far from the origin all cosines are near 1, and without a frame codes do not tell rows apart.
    x = normal(400, 192) + 8 * normal(1, 192, seed=5)
    unit = torch.nn.functional.normalize(x.double(), dim=1)
    exact = (unit @ unit.T).flatten()
    frame = mf.Frame.fit(x[:50])
    errors = {}
    for name, packed in (
        ("plain", mf.quantize(x, "e2m1")),
        ("frame", mf.quantize(x, "e2m1", frame=frame)),
    ):
        errors[name] = (mf.scores(packed, packed).double().flatten() - exact).std() / exact.std()
    assert errors["frame"] < 0.2 < 1 < errors["plain"]
