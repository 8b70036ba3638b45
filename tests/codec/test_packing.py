import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import minifloat as mf
from tests.support import oracles

pytestmark = pytest.mark.gpu

DIMS = [0, 1, 7, 8, 9, 15, 17, 31, 33, 63, 65, 192, 511, 1024, 1029, 2183]


def random_codes(format: mf.Format, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 2**format.bits, shape, dtype=np.uint8)


@pytest.mark.parametrize("dim", DIMS)
def test_pack_is_packbits_and_unpack_inverts_it(format: mf.Format, backend: str, dim: int) -> None:
    codes = random_codes(format, (3, dim))
    packed = mf.pack(codes, format)
    np.testing.assert_array_equal(packed, oracles.pack(codes, format.bits))
    np.testing.assert_array_equal(mf.unpack(packed, format, dim), codes)


@hypothesis.given(
    codes=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=40))
)
def test_pack_drops_bits_above_the_formats(
    format: mf.Format, backend: str, codes: NDArray[np.uint8]
) -> None:
    packed = mf.pack(codes, format)
    np.testing.assert_array_equal(packed, oracles.pack(codes, format.bits))
    unpacked = mf.unpack(packed, format, codes.shape[-1])
    np.testing.assert_array_equal(unpacked, codes & np.uint8(2**format.bits - 1))


@pytest.mark.parametrize("dim", [1, 9, 64, 192, 1029])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_encode_pack_is_encode_then_pack(
    format: mf.Format, backend: str, dim: int, dtype: torch.dtype
) -> None:
    x = (torch.randn(5, dim, generator=torch.Generator().manual_seed(dim)) * 9).to(dtype)
    for saturate in (True, False):
        expected = mf.pack(mf.encode(x, format, saturate=saturate), format)
        assert torch.equal(mf.encode_pack(x, format, saturate=saturate), expected)


def test_large_matrices_are_split_without_a_trace(format: mf.Format, backend: str) -> None:
    for dim in (191, 192):
        codes = random_codes(format, (1500, dim))
        packed = mf.pack(codes, format)
        np.testing.assert_array_equal(packed, oracles.pack(codes, format.bits))
        np.testing.assert_array_equal(mf.unpack(packed, format, dim), codes)


def test_rows_may_have_any_stride(format: mf.Format, backend: str) -> None:
    codes = torch.from_numpy(random_codes(format, (6, 4, 10)))
    expected = mf.pack(codes.permute(1, 2, 0).contiguous(), format)
    assert torch.equal(mf.pack(codes.permute(1, 2, 0), format), expected)
    wide = mf.pack(codes, format)
    assert torch.equal(mf.unpack(wide[::2], format, 10), codes[::2])


def test_padding_bits_are_zero(format: mf.Format, backend: str) -> None:
    codes = np.full((2, 3), 255, np.uint8)
    total = int.from_bytes(mf.pack(codes, format)[0].tobytes(), "little")
    assert total == 2 ** (3 * format.bits) - 1


@hypothesis.given(data=st.binary(min_size=0, max_size=60))
def test_every_row_of_bytes_is_legal(format: mf.Format, backend: str, data: bytes) -> None:
    packed = np.frombuffer(data, np.uint8)
    dim = len(packed) * 8 // format.bits
    packed = packed[: format.row_bytes(dim)]
    again = mf.pack(mf.unpack(packed, format, dim), format)
    np.testing.assert_array_equal(
        np.unpackbits(again, bitorder="little")[: dim * format.bits],
        np.unpackbits(packed, bitorder="little")[: dim * format.bits],
    )


def test_a_row_of_the_wrong_length_is_refused(backend: str) -> None:
    message = r"packed must have 5 bytes a row for dim 9 in e2m1; got shape \(2, 4\)"
    with pytest.raises(ValueError, match=message):
        mf.unpack(torch.zeros(2, 4, dtype=torch.uint8), "e2m1", 9)
    with pytest.raises(ValueError, match="packing needs at least 1 dimension; got a tensor of 0"):
        mf.pack(torch.tensor(3, dtype=torch.uint8), "e2m1")
