import io
import pickle

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.feedback import Feedback
from tests.support.rows import normal

DIM = 48


def sample(count: int = 600, seed: int = 0) -> torch.Tensor:
    """Rows with an offset, whose values go together."""
    mixed = normal(DIM, DIM, seed=9) * torch.linspace(1, 0, DIM)[:, None]
    return normal(count, DIM, seed=seed) @ mixed + 1


@pytest.fixture(scope="module")
def frame() -> mf.Frame:
    return mf.Frame.fit(sample(), feedback=True)


def rests(frame: mf.Frame, x: torch.Tensor) -> torch.Tensor:
    """Return rests in a frame at their own lengths, float64."""
    rest, _, lengths = (part.double() for part in frame.project(x))
    found: torch.Tensor = rest / rest.norm(dim=1, keepdim=True) * lengths[:, None]
    return found


def test_shares_factor_the_second_moment_of_the_sample(frame: mf.Frame) -> None:
    assert frame.feedback is not None
    rest = rests(frame, sample() / sample().norm(dim=1, keepdim=True))
    moment = rest.T @ rest
    moment += 0.3 * moment.diagonal().mean() * torch.eye(DIM)
    lower = torch.eye(DIM).double() + frame.feedback.shares
    # With moment = L^T D L the matrix between is diagonal.
    between = torch.linalg.inv(lower).T @ moment @ torch.linalg.inv(lower)
    off = between - torch.diag(between.diagonal())
    assert off.abs().max() < 1e-5 * between.diagonal().min()
    assert (frame.feedback.shares.triu() == 0).all()


def fed_back(values: np.ndarray, shares: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return what codes stand for, chosen one after the other, in float64."""
    wanted, found = values.copy(), np.zeros_like(values)
    for i in range(values.shape[1]):
        nearest = np.abs(np.abs(wanted[:, i, None]) - grid).argmin(1)
        found[:, i] = np.copysign(grid[nearest], wanted[:, i])
        wanted[:, i + 1 :] += np.outer(values[:, i] - found[:, i], shares[i + 1 :, i])
    return found


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["e2m1", "e2m3", "e4m3"])
def test_each_code_takes_up_the_errors_before_it(frame: mf.Frame, name: str, backend: str) -> None:
    assert frame.feedback is not None
    format, x = getattr(mf, name.upper()), sample(200, seed=1)
    packed = mf.quantize(x, format, frame=frame, scale="amax", rounding="feedback")
    codes = mf.unpack(packed.codes, format, DIM)
    rest = frame.project(x)[0].double()
    rest *= format.max / rest.abs().amax(1, keepdim=True)
    expected = fed_back(rest.numpy(), frame.feedback.shares.numpy(), np.array(format.finite))
    # Float32 takes another side where a value is half way between two; all after it differs.
    same = (mf.decode(codes, format).numpy() == expected).all(1)
    assert same.mean() > 0.95


def test_feedback_puts_errors_where_queries_seldom_are(frame: mf.Frame) -> None:
    assert frame.feedback is not None
    assert frame.feedback.gain < 0.85
    assert f"feedback leaves {frame.feedback.gain:.0%} of errors" in repr(frame)
    x, queries = sample(500, seed=2), sample(100, seed=3)
    cosines = torch.nn.functional.cosine_similarity(
        queries.double()[:, None], x.double()[None], dim=2
    )
    left = {}
    for rounding in ("nearest", "feedback"):
        packed = mf.quantize(x, "e2m1", frame=frame, rounding=rounding)
        left[rounding] = (mf.scores(queries, packed) - cosines).square().mean().sqrt()
    assert left["feedback"] < 0.85 * left["nearest"]


def test_rows_are_stored_and_scored_as_those_of_the_frame_without(frame: mf.Frame) -> None:
    plain = mf.Frame.fit(sample())
    assert frame == plain
    assert frame.feedback is not None
    x = sample(30)
    fed = mf.quantize(x, "e2m1", frame=frame, rounding="feedback")
    nearest = mf.quantize(x, "e2m1", frame=plain)
    assert not torch.equal(fed.codes, nearest.codes)
    assert torch.equal(fed.coordinates, nearest.coordinates)  # type: ignore[arg-type]
    assert mf.scores(fed, nearest).diagonal().min() > 0.97
    assert len(mf.PackedVectors.cat([fed, nearest])) == 60
    assert mf.quantize(x, "e2m1", frame=frame) == nearest


def test_a_gate_refuses_what_does_not_pay_unless_it_is_forced() -> None:
    x = normal(600, DIM)
    frame = mf.Frame.fit(x, feedback=True)
    with pytest.raises(ValueError, match=r"feedback leaves (0\.9|1\.)\d* of the errors"):
        mf.quantize(x, "e2m1", frame=frame, rounding="feedback")
    forced = mf.Frame.fit(x, feedback="force")
    assert len(mf.quantize(x, "e2m1", frame=forced, rounding="feedback")) == 600


def test_what_cannot_be_fed_back_is_refused(frame: mf.Frame) -> None:
    x = sample(5)
    for other, message in ((None, "no frame"), (mf.Frame.fit(sample()), "got Frame")):
        with pytest.raises(ValueError, match=f"fitted with feedback=True; .*{message}"):
            mf.quantize(x, "e2m1", frame=other, rounding="feedback")
    with pytest.raises(ValueError, match="needs scale 'amax' or 'cosine'; got 'none'"):
        mf.quantize(x, "e2m1", frame=frame, scale="none", rounding="feedback")
    with pytest.raises(ValueError, match="must be one of nearest, feedback; got 'up'"):
        mf.quantize(x, "e2m1", frame=frame, rounding="up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 500 rows; got 499"):
        mf.Frame.fit(sample(499), feedback=True)
    with pytest.raises(ValueError, match="feedback must be False, True or 'force'; got 'yes'"):
        mf.Frame.fit(sample(), feedback="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("dim", [1, 2, 17])
def test_any_dim_and_rows_along_the_axis_are_fed_back(dim: int) -> None:
    x = normal(600, dim) + torch.linspace(1, 2, 600)[:, None]
    frame = mf.Frame.fit(x, feedback="force")
    packed = mf.quantize(torch.cat([x, 0 * x[:1]]), "e2m1", frame=frame, rounding="feedback")
    scores = mf.scores(packed[:600], packed[:600])
    torch.testing.assert_close(scores.diagonal(), torch.ones(600), rtol=0, atol=0.2)
    along = mf.Frame.fit(torch.ones(600, dim), feedback="force")
    assert mf.scores(*(2 * [mf.quantize(torch.ones(3, dim), "e2m1", frame=along)])).min() > 0.999
    assert along.feedback is not None
    assert along.feedback.gain > 0.9


def test_feedback_goes_through_pickles(frame: mf.Frame) -> None:
    file = io.BytesIO()
    torch.save(frame, file)
    file.seek(0)
    x = sample(20)
    expected = mf.quantize(x, "e2m1", frame=frame, rounding="feedback")
    for found in (pickle.loads(pickle.dumps(frame)), torch.load(file, weights_only=True)):
        assert repr(found) == repr(frame)
        assert mf.quantize(x, "e2m1", frame=found, rounding="feedback") == expected
    state = frame.__getstate__()
    for wrong in (1, Feedback(torch.zeros(3, 3), 0.5, False), Feedback(torch.eye(DIM), 1, False)):
        with pytest.raises(ValueError, match="feedback must"):
            mf.Frame(**(state | {"feedback": wrong}))
