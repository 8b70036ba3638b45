import copy
import io
import pickle

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.rows import normal

# Rows of a model whose values have an offset.
OFFSET = normal(1, 48, seed=9) * 3


def rows(count: int = 200, seed: int = 0) -> torch.Tensor:
    return normal(count, 48, seed) + OFFSET


@pytest.mark.parametrize("axes", [0, 1, 3, 16])
@pytest.mark.parametrize("rotate", [True, False])
def test_rows_in_a_frame_have_the_cosines_that_they_had(axes: int, rotate: bool) -> None:
    x = rows()
    rest, along, lengths = mf.Frame.fit(x, axes, rotate=rotate).project(x)
    directions = torch.nn.functional.normalize(rest, dim=1) * lengths[:, None]
    found = along @ along.T + directions @ directions.T
    unit = torch.nn.functional.normalize(x, dim=1)
    torch.testing.assert_close(found, unit @ unit.T, rtol=0, atol=2e-6)


def test_the_first_axis_is_the_direction_of_the_mean_and_axes_are_orthonormal() -> None:
    x = rows()
    axes = mf.Frame.fit(x, 5).axes
    mean = torch.nn.functional.normalize(x, dim=1).mean(0)
    torch.testing.assert_close(axes[0], mean / mean.norm(), rtol=0, atol=1e-6)
    torch.testing.assert_close(axes @ axes.T, torch.eye(5), rtol=0, atol=1e-6)


def test_a_frame_tells_what_its_axes_hold_and_proposes_one_more() -> None:
    x = rows()
    x[:, 3] = 20 * normal(len(x), 1, seed=3)[:, 0]
    one, two = mf.Frame.fit(x), mf.Frame.fit(x, 2)
    held = torch.nn.functional.normalize(x, dim=1).square()
    assert one.shares == two.shares[:1]
    assert one.next_share == pytest.approx(two.shares[1])
    assert sum(two.shares) <= 1 + 1e-6
    assert held.sum(1).mean().item() == pytest.approx(1)
    assert repr(one).startswith("Frame(dim 48, 1 axis that holds ")
    assert f"; one more axis would hold {one.next_share:.1%}" in repr(one)
    assert "one more" not in repr(two)
    assert "2 axes that hold" in repr(two)


def test_frames_are_equal_by_what_becomes_of_rows() -> None:
    x = rows()
    frame = mf.Frame.fit(x, seed=1)
    assert frame == mf.Frame.fit(x, seed=1) == copy.deepcopy(frame)
    assert hash(frame) == hash(mf.Frame.fit(x, seed=1))
    for other in (mf.Frame.fit(x), mf.Frame.fit(x, 2, seed=1), mf.Frame.fit(x, rotate=False)):
        assert frame != other
        assert frame.digest != other.digest
    assert mf.Frame.fit(x, rotate=False) == mf.Frame.fit(x, rotate=False, seed=5)
    assert frame != "frame"


def test_a_pickled_frame_is_the_same_and_has_no_other_fields() -> None:
    frame = mf.Frame.fit(rows(), 2)
    frame.project(rows(3))
    file = io.BytesIO()
    torch.save(frame, file)
    file.seek(0)
    for found in (pickle.loads(pickle.dumps(frame)), torch.load(file, weights_only=True)):
        assert found == frame
        assert repr(found) == repr(frame)
    with pytest.raises(ValueError, match="Frame has axes, rotate, seed, shares, next_share"):
        frame.__setstate__({"axes": frame.axes})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("axes", torch.zeros(3), "axes must be float32 of shape"),
        ("axes", torch.zeros(17, 48), "at most 16"),
        ("rotate", 1, "rotate must be True or False; got 1"),
        ("seed", -1, r"seed must be in 0..2\*\*64 - 1; got -1"),
        ("shares", (0.5, 0.5), "shares must be those of 1 axes"),
        ("next_share", float("nan"), "next_share"),
    ],
)
def test_fields_of_no_frame_are_refused(field: str, value: object, message: str) -> None:
    state = mf.Frame.fit(rows()).__getstate__()
    with pytest.raises(ValueError, match=message):
        mf.Frame(**(state | {field: value}))


@pytest.mark.parametrize(
    ("sample", "axes", "message"),
    [
        (torch.zeros(4, 48), 1, "must have a row that is not zero; got 4 zero rows"),
        (torch.zeros(0, 48), 1, "must have a row that is not zero; got 0 zero rows"),
        (torch.ones(48), 1, r"shape \(rows, dim\).*got \(48,\)"),
        (torch.ones(4, 48), 17, r"axes must be in 0..16; got 17"),
        (torch.ones(4, 5), 6, r"axes must be in 0..5; got 6"),
        (torch.tensor([[1.0], [torch.inf]]), 1, "row 1 of sample holds NaN or infinity"),
    ],
)
def test_samples_of_no_frame_are_refused(sample: torch.Tensor, axes: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mf.Frame.fit(sample, axes)


def test_a_sample_of_any_size_and_length_of_rows_makes_the_frame_of_their_directions() -> None:
    x = rows()
    expected = mf.Frame.fit(x).axes
    lengths = torch.logspace(-200, 200, len(x), dtype=torch.float64)[:, None]
    for sample in (x.double() * lengths, x.numpy(), torch.cat([x, torch.zeros(3, 48)])):
        torch.testing.assert_close(mf.Frame.fit(sample).axes, expected, rtol=0, atol=1e-6)
    one = mf.Frame.fit(x[:1])
    torch.testing.assert_close(one.axes, x[:1] / x[:1].norm(), rtol=0, atol=1e-6)
    assert mf.Frame.fit(x, 48 if 48 < 16 else 16).axes.shape == (16, 48)


def test_a_frame_of_rows_with_no_mean_has_their_leading_axes() -> None:
    x = normal(100, 48)
    x[:, 7] *= 30
    frame = mf.Frame.fit(torch.cat([x, -x]))
    assert abs(float(frame.axes[0, 7])) > 0.99


def test_a_frame_of_one_dim_holds_all() -> None:
    frame = mf.Frame.fit(np.array([[2.0], [3.0]]))
    packed = mf.quantize(torch.tensor([[5.0], [-1.0], [0.0]]), "e2m1", frame=frame)
    assert mf.scores(packed, packed).tolist() == [[1, -1, 0], [-1, 1, 0], [0, 0, 0]]
