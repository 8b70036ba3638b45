"""Arrays and tensors: bridges without copies, ml_dtypes arrays as bytes, memory for results."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from minifloat import _C
from minifloat.formats import Format

# Tensors of this many bytes and more are new mappings, whose pages do not exist yet.
_LARGE = 1 << 22

Array = TypeVar("Array", Tensor, NDArray[Any])
RowsLike: TypeAlias = "Tensor | ArrayLike"


def as_tensor(x: Tensor | NDArray[Any]) -> Tensor:
    """Return the tensor that shares the memory of an array, or x if it is a tensor."""
    if isinstance(x, Tensor):
        return x
    if not isinstance(x, np.ndarray):
        raise TypeError(f"expected a torch tensor or a NumPy array; got {type(x).__name__}")
    # A name takes as long to find as all else here.
    if x.dtype.isbuiltin == 2 and x.dtype.name == "bfloat16":
        return as_tensor(x.view(np.uint16)).view(torch.bfloat16)
    # What torch has no strides for; an array of no dimensions must keep its shape.
    if not x.dtype.isnative or any(step < 0 or step % x.itemsize for step in x.strides):
        x = x.astype(x.dtype.newbyteorder("="), order="C")
    return torch.from_numpy(x if x.flags.writeable else _writeable(x))


def as_rows(name: str, x: RowsLike) -> Tensor:
    """Return rows as a tensor: of a tensor or array, or of what NumPy makes an array of.

    That is a list of rows, and a data frame or a column of rows, whosever it is.
    """
    if isinstance(x, Tensor):
        return x
    if not isinstance(x, (list, tuple, np.ndarray)):
        if not hasattr(x, "__array__"):
            raise TypeError(
                f"{name} must be a torch tensor, a NumPy array, a list of rows, or a data frame "
                f"or a column of rows; got {type(x).__name__}"
            )
        x = np.asarray(x)
    # A column of rows becomes an array of objects.
    if isinstance(x, (list, tuple)) or (x.dtype == object and x.ndim == 1):
        x = _stacked(name, x)
    if x.dtype == object:
        raise TypeError(
            f"{name} must hold floats; got Python objects, which np.asarray(x, np.float32) converts"
        )
    return as_tensor(x)


def as_row_numbers(picked: Tensor | ArrayLike, rows: int) -> Tensor:
    """Return the numbers of the rows that integers of any type, or a bool mask, pick of so many."""
    if isinstance(picked, tuple):
        raise IndexError(f"rows must be picked along 1 dimension; got a tuple, {picked}")
    # An empty list has no type of its own.
    if isinstance(picked, list) and not picked:
        picked = np.empty(0, np.int64)
    found = picked if isinstance(picked, Tensor) else np.asarray(picked)
    if isinstance(found, Tensor):
        is_right = not (found.is_floating_point() or found.is_complex())
    else:
        is_right = found.dtype.kind in "biu"
    if not is_right:
        raise IndexError(
            f"rows must be picked by integers, a slice or a bool mask; got {found.dtype}"
        )
    if isinstance(found, np.ndarray):
        found = as_tensor(found if found.dtype == np.bool_ else found.astype(np.int64))
    if found.dtype == torch.bool:
        # NumPy takes an empty one too.
        if found.shape not in ((rows,), (0,)):
            raise IndexError(f"a mask must have shape ({rows},); got {tuple(found.shape)}")
        return found.nonzero().squeeze(1)
    if found.ndim > 1:
        raise IndexError(f"rows must be picked along 1 dimension; got {found.ndim}")
    # torch takes uint8 for a mask, and few other integers.
    return found.reshape(-1).long()


def like(x: Array, result: Tensor) -> Array:
    """Return the result as x came: an array for an array."""
    if isinstance(x, Tensor):
        return result
    if result.dtype == torch.bfloat16:
        return result.view(torch.uint16).numpy().view(x.dtype)
    return result.numpy()


def as_made(from_numpy: bool, result: Tensor) -> Any:
    """Return a result of rows made from NumPy as an array, which there are on the CPU only."""
    return result.numpy() if from_numpy and result.is_cpu else result


def on_huge_pages(new: Tensor) -> Tensor:
    """Return a tensor just made, on huge pages if it is large and in main memory.

    Making small pages takes longer than what writes to them, and reading from them is slower.
    """
    if new.nbytes >= _LARGE and new.device.type == "cpu":
        _C.prefer_huge_pages(new.data_ptr(), new.nbytes)
    return new


def as_codes(codes: Tensor | NDArray[Any], format: Format, *, packed: bool = False) -> Tensor:
    """Return codes, or packed rows, as uint8: such bytes, or the format's own dtype viewed so."""
    whole_bytes = format.bits == 8
    if isinstance(codes, Tensor):
        own = codes.dtype == format.torch_dtype and (packed or whole_bytes)
        return codes.view(torch.uint8) if own else codes
    # 2 marks types that a library registered with NumPy, whatever their kind.
    if isinstance(codes, np.ndarray) and codes.dtype.isbuiltin == 2:
        own_dtype = format.ml_dtype if whole_bytes or not packed else None
        allowed = [] if own_dtype is None else [own_dtype]
        if codes.dtype not in allowed:
            name, names = (
                "packed" if packed else "codes",
                " or ".join(map(str, ["uint8", *allowed])),
            )
            raise TypeError(f"{name} must be {names}; got {codes.dtype}")
        codes = codes.view(np.uint8)
    return as_tensor(codes)


def _stacked(name: str, rows: Iterable[Any]) -> NDArray[Any]:
    """Return the array of rows that come one by one."""
    found: list[NDArray[Any]] = []
    for i, row in enumerate(rows):
        if isinstance(row, Tensor):
            raise TypeError(f"{name} must be one tensor, which torch.stack makes; got a list")
        found.append(np.asarray(row))
        if found[i].shape != found[0].shape:
            raise ValueError(
                f"rows of {name} must have one shape; got {found[i].shape} in row {i} "
                f"and {found[0].shape} in row 0"
            )
    return np.stack(found) if found else np.empty(0)


def _writeable(x: NDArray[Any]) -> NDArray[Any]:
    """Return the same memory without the read-only flag, which torch warns about."""
    interface = {**x.__array_interface__, "data": (x.ctypes.data, False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, owner=x))
