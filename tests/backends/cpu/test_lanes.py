"""Float queries in the lane of a format: the kernels' are those that torch makes."""

from functools import cache

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.frames import tensors_of
from minifloat.ops.checks import SOURCES
from tests.support.rows import normal

OPS = torch.ops.minifloat

# Around the widths of registers, at the ends of a block, and in several.
DIMS = [1, 2, 7, 15, 16, 17, 33, 192, 1023, 1024, 1030, 2100]


def rows(dim: int) -> torch.Tensor:
    """Rows of all lengths, and some of zeros, of one value, and of the largest and the least."""
    x = normal(14, dim).double() * torch.logspace(-40, 37, 14, dtype=torch.float64)[:, None]
    x[3], x[4], x[5], x[6] = 0, -0.0, 3e38, 1e-45
    x[7] = -x[7].abs()
    x[8], x[8, dim // 2] = 0, -2
    # Steps of every lane, and what lies half way between two.
    x[9] = torch.arange(dim) % 64 / 2
    x[10] = 127 << 8
    x[10, 1:] = torch.arange(1, dim) % 1000 + 0.5
    x[11] = torch.finfo(torch.float32).max
    return x


@cache
def given(dim: int) -> tuple[torch.Tensor, ...]:
    """Return finite rows of each source, and rows that lie apart, across, or in one place."""
    x = rows(dim)
    most = [torch.finfo(dtype).max for dtype in SOURCES]
    floats = x.float()
    return (
        *(x.clamp(-m, m).to(dtype) for m, dtype in zip(most, SOURCES, strict=True)),
        x * 2.0**-960,
        x.clamp(-1, 1) * 2.0**1023,
        floats[5:6],
        floats[:0],
        floats.repeat(1, 2)[::3, :dim],
        floats.repeat_interleave(2, 1)[:, ::2],
        floats.T.contiguous().T,
        floats[9:10].expand(5, dim),
    )


@cache
def frames(dim: int) -> list[mf.Frame]:
    """Return frames with and without axes and a turn."""
    x = normal(50, dim, seed=1)
    kinds = ((0, True), (min(2, dim), True), (1, False))
    return [mf.Frame.fit(x, axes, rotate=rotate, seed=5) for axes, rotate in kinds]


def assert_equal(found: tuple[torch.Tensor, ...], expected: tuple[torch.Tensor, ...]) -> None:
    """Elements and coordinates are equal bit for bit, norms too where squares are integers.

    Of floats torch adds them up in an order of its own: norms are within one step of float32.
    """
    (elements, norms, *along), (expected_elements, expected_norms, *expected_along) = (
        found,
        expected,
    )
    assert elements.dtype == expected_elements.dtype
    assert elements.numpy().tobytes() == expected_elements.numpy().tobytes()
    assert len(along) == len(expected_along)
    for one, other in zip(along, expected_along, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()
    away = (norms.view(torch.int32) - expected_norms.view(torch.int32)).abs()
    assert (away <= elements.is_floating_point()).all()


@pytest.mark.parametrize("dim", DIMS)
def test_queries_are_brought_into_a_lane_as_in_torch(format: mf.Format, dim: int, isa: str) -> None:
    in_torch = implementation("eager", "to_lane")
    for x in given(dim):
        assert_equal(OPS.to_lane(x, format.name), in_torch(x, format.name))


@pytest.mark.parametrize("dim", [1, 17, 192, 1030])
def test_queries_in_a_frame_are_brought_into_a_lane_as_in_torch(
    format: mf.Format, dim: int, isa: str
) -> None:
    in_torch = implementation("eager", "to_lane_in_frame")
    for frame in frames(dim):
        tensors = tensors_of(frame, torch.device("cpu"))
        for x in given(dim):
            asked = x, tensors, format.name
            assert_equal(OPS.to_lane_in_frame(*asked), in_torch(*asked))
            # And as of the rests, which need not be written and read again.
            rest, coordinates, lengths = frame.project(x)
            elements, norms = OPS.to_lane(rest, format.name)
            found = OPS.to_lane_in_frame(*asked)
            for one, other in zip(found, (elements, norms * lengths, coordinates), strict=True):
                assert torch.equal(one, other)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_queries_without_a_trace(format: mf.Format, isa: str, threads: int) -> None:
    # More than a thread takes at once.
    x = normal(3000, 65)
    frame = tensors_of(mf.Frame.fit(x), torch.device("cpu"))
    expected = OPS.to_lane(x, format.name), OPS.to_lane_in_frame(x, frame, format.name)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = OPS.to_lane(x, format.name), OPS.to_lane_in_frame(x, frame, format.name)
    finally:
        torch.set_num_threads(before)
    for some, others in zip(found, expected, strict=True):
        for one, other in zip(some, others, strict=True):
            assert torch.equal(one, other)


def test_queries_have_the_largest_elements_that_their_lane_takes(
    format: mf.Format, isa: str
) -> None:
    x = torch.tensor([[0.25, -0.5, 0.0], [0.0, 0.0, -0.0], [1e-40, 0, 0]])
    elements, norms = OPS.to_lane(x, format.name)
    limit = 1 if format.lane == "float" else 32512
    expected = torch.tensor([[limit // 2 or 0.5, -limit, 0], [0, 0, 0], [limit, 0, 0]])
    assert torch.equal(elements.float(), expected)
    assert torch.equal(norms, torch.tensor([1.25**-0.5 / limit, 0, 1 / limit]))
