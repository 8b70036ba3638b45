import re
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support import oracles


def test_torch_dtypes_of_another_format_are_refused(backend: str) -> None:
    x = torch.zeros(2, 4)
    for codes, format, name in (
        (x.to(torch.float8_e5m2), "e4m3", "float8_e5m2"),
        (x.to(torch.float8_e4m3fnuz), "e4m3", "float8_e4m3fnuz"),
        (x.to(torch.uint8).view(torch.float4_e2m1fn_x2), "e2m1", "float4_e2m1fn_x2"),
    ):
        for function in (mf.decode, mf.pack):
            with pytest.raises(TypeError, match=f"^codes must be uint8; got {name}$"):
                function(codes, format)
    with pytest.raises(TypeError, match=r"^packed must be uint8; got float8_e5m2$"):
        mf.unpack(x.to(torch.float8_e5m2), "e2m1", 8)


def test_ml_dtypes_of_another_format_are_refused(format: mf.Format) -> None:
    others = [oracles.ml_dtype(f) for f in oracles.IN_ML_DTYPES if f != format]
    own = "" if format.ml_dtype is None else f" or {format.ml_dtype}"
    for dtype in (*others, np.dtype(ml_dtypes.float8_e4m3), np.dtype(ml_dtypes.bfloat16)):
        message = f"codes must be uint8{own}; got {dtype}"
        for function in (mf.decode, mf.pack):
            with pytest.raises(TypeError, match=f"^{message}$"):
                function(np.zeros((2, 4), dtype), format)


def test_what_is_no_array_is_refused(format: mf.Format) -> None:
    wrong: Any
    for wrong, name in (([1.0], "list"), (None, "NoneType"), (1.5, "float"), ("x", "str")):
        message = f"expected a torch tensor or a NumPy array; got {name}"
        for function in (mf.encode, mf.decode, mf.round, mf.pack, mf.encode_pack):
            with pytest.raises(TypeError, match=f"^{message}$"):
                function(wrong, format)
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.unpack(wrong, format, 2)


def test_arrays_of_other_types_are_refused() -> None:
    dtype: type[Any]
    for dtype in (np.int32, np.uint8, np.bool_, np.complex64):
        name = str(torch.from_numpy(np.zeros(1, dtype)).dtype).removeprefix("torch.")
        message = f"x must be one of float16, bfloat16, float32, float64; got {name}"
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.encode(np.zeros(3, dtype), "e2m1")
    for dtype in (np.int8, np.float32, np.int64):
        message = f"codes must be uint8; got {np.dtype(dtype).name}"
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.decode(np.zeros(3, dtype), "e2m1")
    with pytest.raises(TypeError, match=re.escape("can't convert np.ndarray of type numpy.str_")):
        mf.encode(np.array(["1"]), "e2m1")
