import copy
import pickle
import warnings
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.frames import tensors_of
from tests.support.rows import assert_equal, normal


def sample() -> torch.Tensor:
    return normal(60, 48) + normal(1, 48, seed=5) * 2


def assert_framed(found: mf.PackedVectors, expected: mf.PackedVectors) -> None:
    assert_equal(found, expected)
    assert found.frame == expected.frame
    assert found.estimator == expected.estimator
    assert found.coordinates is not None
    assert expected.coordinates is not None
    assert torch.equal(found.coordinates, expected.coordinates)


@pytest.fixture
def rows(format: mf.Format) -> mf.PackedVectors:
    return mf.quantize(sample(), format, frame=mf.Frame.fit(sample(), 2))


def test_a_row_scores_1_with_itself_where_scores_are_unbiased(format: mf.Format) -> None:
    x = sample()
    for frame in (None, mf.Frame.fit(x)):
        packed = mf.quantize(x, format, frame=frame, estimator="unbiased")
        assert packed.estimator == "unbiased"
        own = torch.stack([mf.scores(x[i : i + 1], packed[i])[0, 0] for i in range(len(x))])
        torch.testing.assert_close(own, torch.ones(len(x)), rtol=0, atol=2e-5)


def test_compiled_functions_give_what_others_give_in_a_frame() -> None:
    torch.compiler.reset()
    x = sample()
    frame = mf.Frame.fit(x, 2)
    database = mf.quantize(x, "e2m1", frame=frame)

    def nearest(queries: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return mf.search(queries, database, 3)

    def own(packed: mf.PackedVectors) -> torch.Tensor:
        products: torch.Tensor = mf.scores(packed, packed)
        return products

    found = torch.compile(nearest, backend="aot_eager", fullgraph=True)(x)
    for part, expected in zip(found, nearest(x), strict=True):
        assert torch.equal(part, expected)
    compiled = torch.compile(own, backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(database), own(database))


def test_errors_of_unbiased_scores_have_no_bias() -> None:
    x, queries = normal(3000, 64), normal(40, 64, seed=1)
    near = queries[:, None] + x.reshape(40, 75, 64)
    x = near.reshape(-1, 64)
    unit, of_queries = (torch.nn.functional.normalize(part, dim=1) for part in (x, queries))
    exact = of_queries @ unit.T
    bias = {
        estimator: float(
            (mf.scores(queries, mf.quantize(x, "e2m1", estimator=estimator)) - exact)[
                exact > 0.5
            ].mean()
        )
        for estimator in ("norm", "unbiased")
    }
    assert abs(bias["unbiased"]) < 5e-4 < 2e-3 < abs(bias["norm"])


def least_angle(row: torch.Tensor, format: mf.Format) -> float:
    """The largest cosine of a row and its codes, of all that the row may be multiplied by."""
    values = torch.tensor(format.finite, dtype=torch.float64)
    magnitudes = row.double().abs()
    # Between two factors at which a value is half way between two codes all codes stay the same.
    halves = (values[1:] + values[:-1]) / 2
    ends = (halves / magnitudes[:, None]).flatten().sort().values
    factors = torch.cat((ends[1:] + ends[:-1], ends[-1:] * 4)) / 2
    codes = values[torch.bucketize(magnitudes * factors[:, None], halves)]
    return float(torch.nn.functional.cosine_similarity(codes, magnitudes).max())


@pytest.mark.parametrize(
    ("name", "dim"), [("e2m1", 16), ("e2m1", 192), ("e2m3", 192), ("e3m2", 192)]
)
def test_scale_cosine_is_near_the_least_angle_of_all_scales(name: str, dim: int) -> None:
    format, x = getattr(mf, name.upper()), normal(40, dim)
    least = torch.tensor([least_angle(row, format) for row in x], dtype=torch.float64)

    def cosines(scale: str) -> torch.Tensor:
        packed = mf.quantize(x, format, scale=scale)  # type: ignore[arg-type]
        return torch.nn.functional.cosine_similarity(packed.dequantize().double(), x.double())

    found, by_amax = cosines("cosine"), cosines("amax")
    assert (found < least + 1e-7).all()
    assert 1 - found.mean() < 1.15 * (1 - least.mean())
    assert found.mean() > by_amax.mean()


def test_picked_joined_copied_and_pickled_rows_keep_their_frame(rows: mf.PackedVectors) -> None:
    for found in (
        rows[:],
        copy.copy(rows),
        copy.deepcopy(rows),
        pickle.loads(pickle.dumps(rows)),
        mf.PackedVectors.cat([rows[:20], rows[20:]]),
        rows[torch.arange(60)],
        rows.to("cpu"),
    ):
        assert_framed(found, rows)
        assert found == rows
    assert rows.coordinates is not None
    assert_framed(rows[[5, 3]], mf.PackedVectors.cat([rows[5], rows[3]]))
    assert rows.nbytes == len(rows) * (rows.format.row_bytes(48) + 4 + 8)
    assert f"in frame {rows.frame.digest}" in repr(rows)  # type: ignore[union-attr]
    moved = rows.to("meta")
    assert moved.coordinates is not None
    assert moved.coordinates.device.type == "meta"


def test_rows_of_other_frames_and_estimators_are_not_joined_and_not_equal() -> None:
    x = sample()
    frame = mf.Frame.fit(x)
    kinds = [
        mf.quantize(x, "e2m1"),
        mf.quantize(x, "e2m1", estimator="unbiased"),
        mf.quantize(x, "e2m1", frame=frame),
        mf.quantize(x, "e2m1", frame=frame, estimator="norm"),
        mf.quantize(x, "e2m1", frame=mf.Frame.fit(x, seed=1)),
    ]
    for i, one in enumerate(kinds):
        for j, other in enumerate(kinds):
            assert (one == other) == (i == j)
            if i != j:
                with pytest.raises(ValueError, match="cat needs one format, dim, frame and"):
                    mf.PackedVectors.cat([one, other])


def test_dequantized_rows_are_turned_back(format: mf.Format, rows: mf.PackedVectors) -> None:
    unit = torch.nn.functional.normalize(sample(), dim=1)
    error = (rows.dequantize() - unit).norm(dim=1)
    assert error.max() < {4: 0.15, 6: 0.08, 8: 0.08}[format.bits]
    assert rows.dequantize().norm(dim=1).sub(1).abs().max() < 0.02


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_what_a_row_is_multiplied_by_changes_nothing(dtype: torch.dtype) -> None:
    x = sample().to(torch.bfloat16).to(dtype)
    frame = mf.Frame.fit(sample())
    expected = mf.quantize(x, "e2m1", frame=frame)
    exponents = {torch.float16: 3, torch.float64: 900}.get(dtype, 110)
    for exponent in (-exponents, exponents):
        found = mf.quantize(x * torch.tensor(2.0, dtype=dtype) ** exponent, "e2m1", frame=frame)
        assert_framed(found, expected)
    assert_framed(mf.quantize(x.double(), "e2m1", frame=frame), expected)


def test_zero_rows_and_rows_along_an_axis_are_exact(format: mf.Format) -> None:
    frame = mf.Frame.fit(sample())
    x = torch.cat([torch.zeros(1, 48), frame.axes, -3 * frame.axes])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packed = mf.quantize(x, format, frame=frame)
    assert packed.coordinates is not None
    torch.testing.assert_close(packed.coordinates[:, 0], torch.tensor([0.0, 1.0, -1.0]))
    expected = torch.tensor([[0.0, 0, 0], [0, 1, -1], [0, -1, 1]])
    torch.testing.assert_close(mf.scores(packed, packed), expected, rtol=0, atol=1e-6)
    assert (packed.dequantize()[0] == 0).all()


def test_equal_rows_are_equal_wherever_they_are() -> None:
    # So many that threads share them.
    x = sample().repeat(50, 1)
    frame = mf.Frame.fit(x)
    expected = mf.quantize(x, "e2m1", frame=frame)
    assert_framed(mf.quantize(x[60:120], "e2m1", frame=frame), expected[:60])
    assert_framed(mf.quantize(x.T.contiguous().T, "e2m1", frame=frame), expected)
    for i in (0, 59):
        assert_framed(mf.quantize(x[i : i + 1], "e2m1", frame=frame), expected[i])


@pytest.mark.gpu
def test_devices_and_instruction_sets_make_the_same_rows(format: mf.Format, backend: str) -> None:
    x = sample()
    x[3] = 0
    frame = mf.Frame.fit(x, 2)
    found = mf.quantize(x, format, frame=frame)
    tensors = tensors_of(frame, x.device)
    rest, along, lengths = implementation("eager", "project")(x, tensors)
    codes, norms = implementation("eager", "quantize")(
        rest, format.name, "cosine", "unbiased", True
    )
    assert torch.equal(found.codes, codes)
    assert torch.equal(found.reciprocal_norms, norms * lengths)
    assert torch.equal(found.coordinates, along)  # type: ignore[arg-type]


def test_rows_that_a_frame_was_not_made_for_are_warned_of() -> None:
    frame = mf.Frame.fit(sample())
    with pytest.warns(UserWarning, match="the axes of the frame hold .* fit a frame to rows"):
        mf.quantize(normal(60, 48, seed=3), "e2m1", frame=frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mf.quantize(sample(), "e2m1", frame=frame)
        mf.quantize(sample()[:0], "e2m1", frame=frame)
        mf.quantize(normal(15, 48, seed=3), "e2m1", frame=frame)
        mf.quantize(torch.cat([sample()[:1], torch.zeros(5, 48)]), "e2m1", frame=frame)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "max"}, "scale must be one of amax, cosine, none; got 'max'"),
        ({"estimator": "mean"}, "estimator must be one of norm, unbiased; got 'mean'"),
        ({"frame": mf.Frame.fit(torch.ones(2, 5))}, r"\(rows, 5\), as its frame; got \(60, 48\)"),
    ],
)
def test_other_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mf.quantize(sample(), "e2m1", **options)


def test_the_first_row_that_is_not_finite_is_refused_by_its_number() -> None:
    frame, x = mf.Frame.fit(sample()), sample().repeat(50, 1)
    x[1023, 4], x[1024, 7], x[2999, 0] = -torch.inf, torch.nan, torch.inf
    for kind in (torch.float32, torch.float64, torch.bfloat16):
        with pytest.raises(ValueError, match="row 1023 of x holds NaN or infinity"):
            mf.quantize(x.to(kind), "e2m1", frame=frame)
