"""Codes of values, and dense rows of them, by the CUDA kernels in the emulator."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf
from minifloat.backends import implementation
from tests.backends.cuda.asked import needs_emulator
from tests.support import emulated, oracles

# Rows and dims: none, one code, what a warp packs at once and more or less, tiles, and rows that
# end within a byte.
SHAPES = [
    (0, 8),
    (3, 0),
    (1, 1),
    (5, 4),
    (2, 128),
    (1, 127),
    (9, 131),
    (3, 2052),
    (1, 70001),
    (7, 2),
]
TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.fixture(params=[True, False], ids=["registers", "tiles"])
def either_way(request: pytest.FixtureRequest, cuda: Any) -> Iterator[Any]:
    from minifloat import _cuda

    before = _cuda.ways().packs_in_registers
    _cuda.ways().packs_in_registers = request.param
    yield cuda
    _cuda.ways().packs_in_registers = before


def edges(format: mf.Format, *, saturate: bool) -> NDArray[np.float32]:
    """All float16 values, and what is around the bounds of every code."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    starts, _ = oracles.boundaries(format, saturate=saturate)
    around = (starts[:, None] + np.array([-1, 0, 1], np.int64)).astype(np.uint32).ravel()
    return np.concatenate(
        [halves, around.view(np.float32), (around | np.uint32(2**31)).view(np.float32)]
    )


def values(shape: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
    """Numbers of all sizes, and here and there what is none."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x *= 2.0 ** torch.arange(x.numel()).reshape(shape).remainder(23).sub(12)
    flat = x.view(-1)
    for start, odd in (
        (3, torch.nan),
        (40, -torch.nan),
        (50, torch.inf),
        (61, -torch.inf),
        (77, -0.0),
    ):
        flat[start::133] = odd
    return x.to(dtype)


@needs_emulator
def test_instructions_convert_all_but_nan_as_the_codec_does(format: mf.Format) -> None:
    x = edges(format, saturate=True)
    found = emulated.convert(x, format)
    if found is None:
        pytest.skip("no GPU has an instruction for this format")
    expected = oracles.encode(x, format, saturate=True)
    np.testing.assert_array_equal(found[~np.isnan(x)], expected[~np.isnan(x)])
    assert np.any(found[np.isnan(x)] != expected[np.isnan(x)])


@needs_emulator
@pytest.mark.parametrize("saturate", [True, False])
def test_numbers_are_rounded_as_the_codec_does(format: mf.Format, saturate: bool) -> None:
    x = edges(format, saturate=saturate)
    x = x[~np.isnan(x)]
    found = emulated.round_numbers(x, format, saturate=saturate)
    np.testing.assert_array_equal(found, oracles.encode(x, format, saturate=saturate))


@needs_emulator
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_are_packed_and_unpacked_either_way(
    format: mf.Format, shape: tuple[int, int], either_way: Any
) -> None:
    for dtype in TYPES:
        x = values(shape, dtype)
        for saturate in (True, False):
            codes = implementation("eager", "encode")(x, format.name, saturate)
            packed = implementation("eager", "pack")(codes, format.name)
            assert torch.equal(either_way.encode(x, format.name, saturate), codes)
            assert torch.equal(either_way.encode_pack(x, format.name, saturate), packed)
    # What is above a code's bits is not packed.
    above = codes | (255 << format.bits & 255)
    assert torch.equal(either_way.pack(above, format.name), packed)
    assert torch.equal(either_way.unpack(packed, format.name, shape[1]), codes)


@needs_emulator
def test_rows_that_begin_anywhere_are_packed(format: mf.Format, either_way: Any) -> None:
    x = values((40, 64), torch.float32)
    packed = implementation("eager", "encode_pack")(x, format.name, True)
    codes = implementation("eager", "unpack")(packed, format.name, 64)
    for first in (1, 2, 4, 8):
        moved = torch.cat([torch.zeros(first), x.flatten()])[first:].view(x.shape)
        assert torch.equal(either_way.encode_pack(moved, format.name, True), packed)
        bytes = torch.cat([torch.zeros(first, dtype=torch.uint8), packed.flatten()])[first:]
        assert torch.equal(either_way.unpack(bytes.view(packed.shape), format.name, 64), codes)
