"""Tensors of any shape, stride and length, and those that the codec refuses."""

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support import oracles

pytestmark = pytest.mark.gpu


def test_any_shape_and_stride_is_taken(format: mf.Format, backend: str) -> None:
    x = torch.randn(6, 4, 10)
    expected = mf.encode(x, format)
    assert torch.equal(mf.encode(x.transpose(0, 2), format), expected.transpose(0, 2))
    assert torch.equal(mf.encode(x[::2, :, 3], format), expected[::2, :, 3])
    assert torch.equal(mf.encode(x[0, 0, 0], format), expected[0, 0, 0])
    for shape in ((0,), (3, 0), (0, 5)):
        assert mf.encode(torch.empty(shape), format).shape == shape
        assert mf.decode(torch.empty(shape, dtype=torch.uint8), format).shape == shape


@pytest.mark.parametrize("count", [1, 7, 63, 65, 1023, 1025, 70000, 200001])
def test_every_length_is_encoded_to_its_end(format: mf.Format, backend: str, count: int) -> None:
    x = np.random.default_rng(count).normal(0, 4, count).astype(np.float32)
    codes = mf.encode(x, format)
    np.testing.assert_array_equal(codes, oracles.encode(x, format, saturate=True))
    np.testing.assert_array_equal(mf.decode(codes, format), oracles.decode(codes, format))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_runs_of_millions_are_encoded_as_their_parts_are(isa: str, dtype: torch.dtype) -> None:
    bits = torch.randint(-(2**15), 2**15, (2**22 + 1003,), dtype=torch.int16)
    x = bits.view(torch.bfloat16).to(dtype)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for format in (mf.E4M3, mf.E2M1):
            parts = [mf.encode(part, format) for part in x.split(2**20)]
            assert torch.equal(mf.encode(x, format), torch.cat(parts))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.complex64])
def test_values_of_other_types_are_refused(backend: str, dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    message = f"x must be one of float16, bfloat16, float32, float64; got {name}"
    for function in (mf.encode, mf.round, mf.encode_pack):
        with pytest.raises(TypeError, match=message):
            function(torch.zeros(4).to(dtype), "e2m1")


def test_codes_of_other_types_are_refused(backend: str) -> None:
    with pytest.raises(TypeError, match="codes must be uint8; got float32"):
        mf.decode(torch.zeros(4), "e2m1")
