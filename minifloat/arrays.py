"""The bridge between NumPy arrays and tensors: no copies, and ml_dtypes arrays as their bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minifloat.formats import Format

Array = TypeVar("Array", Tensor, NDArray[Any])


def as_tensor(x: Tensor | NDArray[Any]) -> Tensor:
    """Return the tensor that shares the memory of an array, or x if it is a tensor."""
    if isinstance(x, Tensor):
        return x
    if not isinstance(x, np.ndarray):
        raise TypeError(f"expected a torch tensor or a NumPy array; got {type(x).__name__}")
    if x.dtype.name == "bfloat16":
        return as_tensor(x.view(np.uint16)).view(torch.bfloat16)
    if not x.dtype.isnative or any(stride < 0 for stride in x.strides):
        x = np.ascontiguousarray(x, x.dtype.newbyteorder("="))
    return torch.from_numpy(x if x.flags.writeable else _writeable(x))


def like(x: Array, result: Tensor) -> Array:
    """Return the result as x came: an array for an array."""
    return result if isinstance(x, Tensor) else result.numpy()


def as_codes(codes: Tensor | NDArray[Any], format: Format, *, packed: bool = False) -> Tensor:
    """Return codes, or packed rows, as uint8: such bytes, or the format's own dtype viewed so."""
    if isinstance(codes, Tensor):
        is_whole = packed or format.bits == 8
        same = is_whole and codes.dtype == format.torch_dtype
        return codes.view(torch.uint8) if same else codes
    if isinstance(codes, np.ndarray) and codes.dtype.kind == "V" and not packed:
        if codes.dtype != format.ml_dtype:
            raise TypeError(f"codes must be uint8 or {format.ml_dtype}; got {codes.dtype}")
        codes = codes.view(np.uint8)
    return as_tensor(codes)


def _writeable(x: NDArray[Any]) -> NDArray[Any]:
    """Return the same memory without the read-only flag, which torch warns about."""
    interface = {**x.__array_interface__, "data": (x.ctypes.data, False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, owner=x))
