"""Float queries in a lane, and rows in a frame, by the CUDA kernels in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops.checks import SOURCES
from minifloat.turning import no_turn, random_turn
from tests.backends.cuda.asked import needs_emulator
from tests.support.rows import normal, of_any_size

pytestmark = needs_emulator

# Below, at and above what a half of a warp, a warp and a block have at once.
DIMS = (1, 2, 7, 16, 17, 31, 33, 48, 128, 129, 257, 1000, 2000)


@pytest.fixture(params=SOURCES, ids=lambda dtype: str(dtype).removeprefix("torch."))
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    found: torch.dtype = request.param
    return found


@pytest.fixture(params=[True, False], ids=["at once", "in torch"])
def at_once(request: pytest.FixtureRequest, cuda: Any) -> Iterator[bool]:
    from minifloat import _cuda

    wanted: bool = request.param
    _cuda.ways().prepares_at_once = wanted
    yield wanted
    _cuda.ways().prepares_at_once = True


def assert_same_bits(found: Any, expected: Any) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


def frame_of(dim: int, axes: int, *, turned: bool) -> list[Tensor]:
    basis = torch.linalg.qr(normal(max(dim, axes), max(dim, axes), 3))[0][:axes, :dim]
    turn = random_turn(dim, 7) if turned else no_turn(dim)
    return [basis.contiguous(), *turn, torch.empty(0, dim)]


def test_queries_in_a_lane_have_the_cpus_bits(
    format: mf.Format, dtype: torch.dtype, at_once: bool, cuda: Any
) -> None:
    for dim in DIMS:
        x = of_any_size(dim, dtype)
        elements, norms = cuda.to_lane(x, format.name)
        expected = implementation("cpu", "to_lane")(x, format.name)
        assert torch.equal(elements, expected[0])
        if at_once:
            assert_same_bits([norms], expected[1:])
        in_torch = implementation("eager", "to_lane")(x, format.name)
        assert torch.equal(elements, in_torch[0])
        # Sums of squares of floats, in float64, are in another order there.
        torch.testing.assert_close(norms, in_torch[1], rtol=2.0**-23, atol=0)


@pytest.mark.parametrize("axes", [0, 1, 3, 16])
@pytest.mark.parametrize("turned", [True, False])
def test_rows_in_a_frame_have_the_cpus_bits(
    dtype: torch.dtype, axes: int, turned: bool, at_once: bool, cuda: Any
) -> None:
    for dim in DIMS if at_once else DIMS[:6]:
        x, frame = of_any_size(dim, dtype), frame_of(dim, min(axes, dim), turned=turned)
        found = cuda.project(x, frame)
        assert_same_bits(found, implementation("cpu", "project")(x, frame))
        assert_same_bits(found, implementation("eager", "project")(x, frame))


def test_queries_in_a_frame_have_the_cpus_bits(format: mf.Format, at_once: bool, cuda: Any) -> None:
    for dim in (1, 33, 48, 257):
        x, frame = of_any_size(dim, torch.float32), frame_of(dim, 1, turned=True)
        found = cuda.to_lane_in_frame(x, frame, format.name)
        expected = implementation("cpu", "to_lane_in_frame")(x, frame, format.name)
        if at_once:
            assert_same_bits(found, expected)
        else:
            torch.testing.assert_close(found, expected, rtol=2.0**-22, atol=0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_rows_that_are_not_finite_have_no_numbers_and_change_no_others(
    format: mf.Format, dtype: torch.dtype, bad: float, cuda: Any
) -> None:
    x, frame = of_any_size(33, dtype), frame_of(33, 2, turned=True)
    expected = cuda.to_lane(x, format.name), cuda.to_lane_in_frame(x, frame, format.name)
    # Where the first lane, another one and another warp look.
    wrong = torch.tensor([0, 5, 11])
    there = torch.ones(12, dtype=torch.bool)
    there[wrong] = False
    y = x.clone()
    y[wrong, torch.tensor([0, 20, 32])] = bad
    found = cuda.to_lane(y, format.name), cuda.to_lane_in_frame(y, frame, format.name)
    for (elements, *numbers), wanted in zip(found, expected, strict=True):
        assert torch.equal(elements[there], wanted[0][there])
        assert elements.double().isfinite().all()
        for ours, theirs in zip(numbers, wanted[1:], strict=True):
            assert ours[wrong].isnan().all()
            assert torch.equal(ours[there], theirs[there])


def test_rows_may_lie_anywhere_in_memory(format: mf.Format, cuda: Any) -> None:
    x, frame = normal(9, 64), frame_of(31, 2, turned=True)
    whole = torch.cat([torch.zeros(1), normal(5, 31).flatten()])
    for some in (x[:, 1:32], x[::2, :31], x.T[:31].T, x[:, ::2][:, 1:], whole[1:].view(5, 31)):
        same = some.clone(memory_format=torch.contiguous_format)
        rest = frame if some.shape[1] == 31 else frame_of(some.shape[1], 2, turned=True)
        assert_same_bits(cuda.to_lane(some, format.name), cuda.to_lane(same, format.name))
        assert_same_bits(cuda.project(some, rest), cuda.project(same, rest))


def test_no_rows_are_none(format: mf.Format, cuda: Any) -> None:
    x, frame = normal(0, 33), frame_of(33, 2, turned=True)
    assert [len(part) for part in cuda.to_lane(x, format.name)] == [0, 0]
    assert [len(part) for part in cuda.to_lane_in_frame(x, frame, format.name)] == [0, 0, 0]


def test_more_rows_than_blocks_at_once_take_turns(format: mf.Format, cuda: Any) -> None:
    x, frame = normal(100, 40), frame_of(40, 2, turned=True)
    expected = implementation("cpu", "to_lane_in_frame")(x, frame, format.name)
    assert_same_bits(cuda.to_lane_in_frame(x, frame, format.name), expected)


def test_a_turn_of_ends_asks_for_memory_to_put_values_in_order(cuda: Any) -> None:
    from minifloat import _cuda

    axes, signs, order, _ = frame_of(33, 2, turned=True)
    at = axes.data_ptr(), 2, signs.data_ptr(), 2, order.data_ptr()
    x = normal(3, 33)
    rows, frame = _cuda.ValueRows(2, x.data_ptr(), 33, 3, 33), _cuda.Frame(33, *at)
    out = torch.empty(3, 33), torch.empty(3, 2), torch.empty(3)
    to = _cuda.Projected(*[part.data_ptr() for part in out])
    bytes = _cuda.project_workspace(rows, frame)
    assert bytes == 4 * 33 * 3
    workspace = torch.empty(bytes, dtype=torch.uint8)
    _cuda.project(rows, frame, _cuda.Memory(workspace.data_ptr(), bytes), to, 0)
    with pytest.raises(ValueError, match="the workspace is too small"):
        _cuda.project(rows, frame, _cuda.Memory(workspace.data_ptr(), bytes - 1), to, 0)
