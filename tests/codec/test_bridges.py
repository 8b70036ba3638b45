import subprocess
import sys
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf
from tests.support import oracles

X = np.random.default_rng(0).normal(0, 3, (6, 8)).astype(np.float32)

IN_ML_DTYPES = pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)


def address(x: NDArray[Any] | torch.Tensor) -> int:
    return x.data_ptr() if isinstance(x, torch.Tensor) else x.ctypes.data


def strange_arrays() -> dict[str, NDArray[Any]]:
    """The same 6 x 8 numbers in memory that torch does not take, or takes with a warning."""
    read_only = X.copy()
    read_only.flags.writeable = False
    records = np.zeros(X.shape, [("value", np.float32), ("byte", np.uint8)])
    records["value"] = X
    unaligned = np.zeros(X.nbytes + 1, np.uint8)
    unaligned[1:] = np.frombuffer(X.tobytes(), np.uint8)
    return {
        "read-only": read_only,
        "from bytes": np.frombuffer(X.tobytes(), np.float32).reshape(X.shape),
        "reversed rows": X[::-1].copy()[::-1],
        "reversed columns": X[:, ::-1].copy()[:, ::-1],
        "big-endian": X.astype(">f4"),
        "Fortran": np.asfortranarray(X),
        "strided": X.repeat(2, 0).repeat(3, 1)[::2, ::3],
        "in records": records["value"],
        "unaligned": unaligned[1:].view(np.float32).reshape(X.shape),
        "broadcast": np.broadcast_to(X[None], (1, *X.shape))[0],
    }


def test_arrays_in_any_memory_are_read_right(format: mf.Format) -> None:
    expected = oracles.encode(X, format, saturate=True)
    values = oracles.decode(expected, format)
    for name, x in strange_arrays().items():
        before = x.copy()
        codes = mf.encode(x, format)
        np.testing.assert_array_equal(codes, expected, err_msg=name)
        np.testing.assert_array_equal(mf.round(x, format), values, err_msg=name)
        packed = oracles.pack(expected, format.bits)
        np.testing.assert_array_equal(mf.encode_pack(x, format), packed, err_msg=name)
        np.testing.assert_array_equal(mf.quantize(x, format).codes, mf.quantize(X, format).codes)
        np.testing.assert_array_equal(x, before)


def test_codes_in_any_memory_are_read_right(format: mf.Format) -> None:
    codes = oracles.encode(X, format, saturate=True)
    packed = oracles.pack(codes, format.bits)
    read_only = codes.copy()
    read_only.flags.writeable = False
    for same in (read_only, codes[::-1].copy()[::-1], np.asfortranarray(codes)):
        np.testing.assert_array_equal(mf.decode(same, format), oracles.decode(codes, format))
        np.testing.assert_array_equal(mf.pack(same, format), packed)
    for same in (packed[::-1].copy()[::-1], np.asfortranarray(packed)):
        np.testing.assert_array_equal(mf.unpack(same, format, 8), codes)


def test_a_result_shares_no_memory_with_its_argument(format: mf.Format, backend: str) -> None:
    codes = oracles.encode(X, format, saturate=True)
    packed = oracles.pack(codes, format.bits)
    for argument, result in (
        (X, mf.encode(X, format)),
        (X, mf.round(X, format)),
        (codes, mf.decode(codes, format)),
        (codes, mf.pack(codes, format)),
        (packed, mf.unpack(packed, format, 8)),
        (X, mf.quantize(X, format).codes.numpy()),
    ):
        assert isinstance(result, np.ndarray)
        assert not np.shares_memory(argument, result)
        result[...] = 0
    assert X.any()
    assert codes.any()


def test_arrays_give_arrays_and_tensors_give_tensors(format: mf.Format, backend: str) -> None:
    codes, packed = mf.encode(X, format), mf.encode_pack(X, format)
    functions: list[tuple[Callable[[Any], Any], NDArray[Any]]] = [
        (lambda x: mf.encode(x, format), X),
        (lambda x: mf.round(x, format), X),
        (lambda x: mf.encode_pack(x, format), X),
        (lambda x: mf.decode(x, format), codes),
        (lambda x: mf.pack(x, format), codes),
        (lambda x: mf.unpack(x, format, 8), packed),
    ]
    for function, argument in functions:
        array, tensor = function(argument), function(torch.from_numpy(argument))
        assert isinstance(array, np.ndarray)
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_array_equal(array, tensor.numpy())


def test_arrays_of_no_or_empty_dimensions_keep_their_shape(format: mf.Format) -> None:
    for x in (np.array(1.5, np.float32), np.array(1.5, ">f4"), np.array(1.5, np.float64)):
        code = mf.encode(x, format)
        assert code.shape == ()
        assert mf.decode(code, format).shape == ()
        assert mf.round(x, format) == 1.5
    for shape in ((0,), (3, 0), (0, 5)):
        for dtype in (np.float32, ">f8"):
            assert mf.encode(np.zeros(shape, dtype), format).shape == shape
            assert mf.encode_pack(np.zeros(shape, dtype), format).shape == (
                *shape[:-1],
                format.row_bytes(shape[-1]),
            )
    assert mf.encode(np.ones(1, np.float32)[::-1], format).shape == (1,)


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16], ids=lambda t: t.__name__
)
def test_arrays_of_every_float_are_taken_and_kept(
    format: mf.Format, backend: str, dtype: type[Any]
) -> None:
    x: NDArray[Any] = X.astype(dtype)
    # No value here has more bits than a float32, so that ml_dtypes rounds it once.
    expected = oracles.encode(x.astype(np.float32), format, saturate=True)
    np.testing.assert_array_equal(mf.encode(x, format), expected)
    np.testing.assert_array_equal(mf.encode(x[::-1], format), expected[::-1])
    rounded = mf.round(x, format)
    assert rounded.dtype == x.dtype
    np.testing.assert_array_equal(
        rounded.astype(np.float32), oracles.decode(expected, format).astype(dtype)
    )
    x.flags.writeable = False
    np.testing.assert_array_equal(mf.encode(x, format), expected)


@pytest.mark.parametrize("format", [mf.E5M2, mf.E4M3], ids=str)
def test_codes_are_the_bytes_of_torchs_own_dtype(format: mf.Format, backend: str) -> None:
    dtype = format.torch_dtype
    assert dtype is not None
    codes = torch.arange(256, dtype=torch.uint8)
    theirs = codes.view(dtype)
    assert address(theirs) == address(codes)
    values = mf.decode(theirs, format)
    assert torch.equal(values.nan_to_num(9), theirs.float().nan_to_num(9))
    assert torch.equal(values.signbit(), theirs.float().signbit())
    x = torch.from_numpy(X)
    assert torch.equal(mf.encode(x, format).view(dtype).float(), x.to(dtype).float())
    rows = torch.from_numpy(X).to(dtype)
    assert torch.equal(mf.pack(rows, format), rows.view(torch.uint8))
    assert torch.equal(mf.unpack(rows, format, 8), rows.view(torch.uint8))


def test_packed_e2m1_rows_are_the_bytes_of_torchs_own_dtype(backend: str) -> None:
    codes = torch.from_numpy(oracles.encode(X, mf.E2M1, saturate=True))
    packed = mf.pack(codes, "e2m1")
    theirs = packed.view(torch.float4_e2m1fn_x2)
    assert address(theirs) == address(packed)
    # The first of two codes takes the low half of their byte.
    assert torch.equal(packed, codes[:, ::2] | codes[:, 1::2] << 4)
    assert torch.equal(mf.unpack(theirs, "e2m1", 8), codes)


@IN_ML_DTYPES
def test_codes_are_the_bytes_of_ml_dtypes(format: mf.Format, backend: str) -> None:
    x = np.clip(X, -format.max, format.max)
    theirs = x.astype(oracles.ml_dtype(format))
    codes = mf.encode(x, format)
    np.testing.assert_array_equal(codes.view(theirs.dtype), theirs)
    np.testing.assert_array_equal(mf.decode(theirs, format), theirs.astype(np.float32))
    np.testing.assert_array_equal(mf.pack(theirs, format), mf.pack(codes, format))
    np.testing.assert_array_equal(
        mf.decode(theirs[::-1, ::2], format), mf.decode(codes[::-1, ::2], format)
    )
    theirs.flags.writeable = False
    np.testing.assert_array_equal(mf.decode(theirs, format), theirs.astype(np.float32))


@IN_ML_DTYPES
def test_ml_dtypes_arrays_are_taken_without_a_copy(format: mf.Format) -> None:
    from minifloat.arrays import as_codes, as_tensor

    theirs = X.astype(oracles.ml_dtype(format))
    assert address(as_codes(theirs, format)) == address(theirs)
    for x in (X, X.astype(ml_dtypes.bfloat16), np.asfortranarray(X), X[::2]):
        assert address(as_tensor(x)) == address(x)
    frozen = X.copy()
    frozen.flags.writeable = False
    assert address(as_tensor(frozen)) == address(frozen)
    assert not frozen.flags.writeable


def test_without_ml_dtypes_all_but_its_arrays_works() -> None:
    program = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np, minifloat as mf
for f in mf.FORMATS:
    assert mf.round(np.ones(3, np.float32), f).tolist() == [1, 1, 1]
    try:
        f.ml_dtype
    except ImportError as error:
        assert str(error) == "Format.ml_dtype needs ml_dtypes: pip install ml_dtypes", error
    else:
        raise AssertionError("no error")
print("done")
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout == "done\n"


@IN_ML_DTYPES
def test_packed_bytes_of_a_format_of_whole_bytes_may_have_its_own_dtype(format: mf.Format) -> None:
    packed = mf.encode_pack(np.linspace(-3, 3, 24, dtype=np.float32)[None], format)
    own = packed.view(oracles.ml_dtype(format))
    if format.bits == 8:
        np.testing.assert_array_equal(mf.unpack(own, format, 24), mf.unpack(packed, format, 24))
    else:
        with pytest.raises(TypeError, match=f"^packed must be uint8; got {own.dtype}$"):
            mf.unpack(own, format, 24)
