"""Files whose rows become an index: what they are, and some of their rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from minifloat.arrays import as_tensor
from minifloat.vectors import PackedVectors

# A file, or one of safetensors and which of its tensors.
Given: TypeAlias = "str | Path | tuple[str | Path, str]"

Rows: TypeAlias = "Tensor | PackedVectors"

# What gives rows from one to another.
Reader: TypeAlias = Callable[[int, int], Rows]

_FLOATS = ("F16", "BF16", "F32", "F64")


class File(NamedTuple):
    """Which file it is, and as it was when it was looked at."""

    path: str
    bytes: int
    modified: int

    @staticmethod
    def of(path: str | Path) -> File:
        """Return what a file is now; OSError for one that is not there."""
        found = os.stat(path)
        return File(os.path.abspath(path), found.st_size, found.st_mtime_ns)

    def told(self) -> str:
        """Return how large it was, and when it was written, in words."""
        when = datetime.fromtimestamp(self.modified / 1e9).isoformat(" ", "milliseconds")
        return f"{self.bytes} bytes, written {when}"


class Source(NamedTuple):
    """Rows of a file: (rows, dim), and which tensor of it they are, if it has names."""

    file: File
    tensor: str | None
    rows: int
    dim: int

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return self.file.path if self.tensor is None else f"{self.file.path}[{self.tensor}]"


def path_of(given: Given) -> str:
    """Return the file of a source."""
    return str(given[0] if isinstance(given, tuple) else given)


def opened(given: Given) -> tuple[Source, Reader]:
    """Return what the rows of a file are, and what reads them; ValueError where there are none."""
    path, tensor = path_of(given), given[1] if isinstance(given, tuple) else None
    end = os.path.splitext(path)[1].lower()
    if not (end == ".safetensors" or (end == ".npy" and tensor is None)):
        raise ValueError(
            "sources must be .npy or .safetensors files, or pairs of a .safetensors file and the "
            f"name of a tensor; got {given!r}"
        )
    file = File.of(path)
    if end == ".npy":
        rows, read = _of_npy(path)
    else:
        tensor, rows, read = _of_safetensors(path, tensor)
    return Source(file, tensor, *rows), read


def npy(path: str) -> NDArray[Any]:
    """Return a file's array, mapped; ValueError for what is none."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as a .npy file: {error}") from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise ValueError(f"{path} is an archive of arrays, and not a .npy file")
    return found


def _of_npy(path: str) -> tuple[tuple[int, int], Reader]:
    array = npy(path)
    is_float = array.dtype.kind == "f" and array.dtype.itemsize <= 8
    rows = _checked(path, array.shape, str(array.dtype), is_float=is_float)

    def read(first: int, end: int) -> Rows:
        return as_tensor(array[first:end])

    return rows, read


def _of_safetensors(path: str, tensor: str | None) -> tuple[str | None, tuple[int, int], Reader]:
    try:
        file = safe_open(path, "pt")
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file: {error}") from error
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    if {"codes", "reciprocal_norms"} <= slices.keys() and "format" in (file.metadata() or {}):
        if tensor is not None:
            raise ValueError(f"{path} holds packed vectors alone; got tensor {tensor!r}")
        packed = PackedVectors.load(path)
        return None, (len(packed), packed.dim), lambda first, end: packed[first:end]
    shapes = {name: tuple(one.get_shape()) for name, one in slices.items()}
    names = [name for name, shape in shapes.items() if len(shape) == 2]
    if tensor is None:
        names = [name for name in names if slices[name].get_dtype() in _FLOATS]
    wanted = names[0] if tensor is None and len(names) == 1 else tensor
    if wanted not in names:
        got = "and a pair of file and name says which" if wanted is None else f"got {wanted!r}"
        raise ValueError(
            f"{path} has these tensors of vectors: {', '.join(names) or 'none'}; {got}"
        )
    rows = slices[wanted]
    is_float = rows.get_dtype() in _FLOATS
    shape = _checked(f"{path}[{wanted}]", shapes[wanted], rows.get_dtype(), is_float=is_float)

    def read(first: int, end: int) -> Rows:
        found: Tensor = rows[first:end]
        return found

    return wanted, shape, read


def _checked(name: str, shape: tuple[int, ...], dtype: str, *, is_float: bool) -> tuple[int, int]:
    """Return a shape; ValueError for an array that is no rows of floats."""
    if len(shape) != 2 or not is_float or not shape[1]:
        raise ValueError(
            f"{name} must be rows of float16, bfloat16, float32 or float64, (rows, dim); "
            f"got {dtype} of shape {tuple(shape)}"
        )
    return shape[0], shape[1]
