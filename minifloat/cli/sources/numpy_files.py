"""Rows of .npy, mapped or from a pipe, and of .npz, streamed out of its archive."""

from __future__ import annotations

import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray

from minifloat.arrays import as_tensor
from minifloat.cli.errors import InputError
from minifloat.cli.sources.source import (
    Block,
    Ids,
    Source,
    Wanted,
    chosen,
    refuse_names,
    refuse_no_rows,
    spans,
)
from minifloat.cli.writing import PIPE

_NPY = ".npy"

# Of an array its shape, whether it lies column by column, and its dtype.
Header = tuple[tuple[int, ...], bool, np.dtype[Any]]


def from_npy(wanted: Wanted) -> Source:
    """Return the rows of a .npy, mapped; of stdin they can be read once."""
    refuse_names(wanted, ".npy")
    if wanted.path == PIPE:
        return _streamed(sys.stdin.buffer)
    with _readable(wanted.path, "a .npy file"):
        mapped = np.load(wanted.path, mmap_mode="r", allow_pickle=False)
    if not isinstance(mapped, np.ndarray):
        raise InputError(f"{wanted.path} is an archive of arrays; its name must end in .npz")
    dtype = _torch_dtype(wanted.path, mapped.shape, mapped.dtype)

    def read(size: int) -> Iterator[Block]:
        for first, end in spans(len(mapped), size):
            yield Block(first, as_tensor(mapped[first:end]))

    rows, dim = mapped.shape
    return Source(name=wanted.path, rows=rows, dim=dim, dtype=dtype, read=read, originals=mapped)


def from_npz(wanted: Wanted) -> Source:
    """Return the rows of an array of an .npz, read from the archive as they are asked for."""
    with _readable(wanted.path, "an .npz file"), zipfile.ZipFile(wanted.path) as archive:
        headers: dict[str, Header] = {}
        held = {}
        for member in filter(_is_array, archive.namelist()):
            name = member.removesuffix(_NPY)
            if name in headers:
                raise InputError(f"{wanted.path} has array {name!r} twice: either might count")
            with archive.open(member) as file:
                headers[name] = _header(wanted.path, file)
                held[name] = archive.getinfo(member).file_size - file.tell()
    vectors = [name for name, (shape, *_) in headers.items() if len(shape) == 2]
    key = chosen(wanted.path, wanted.key, vectors, "arrays")
    shape, fortran, dtype = headers[key]
    name = f"{wanted.path}[{key}]"
    kind = _torch_dtype(name, shape, dtype)
    _refuse_fortran(name, shape, fortran)
    filled = held[key] // (shape[1] * dtype.itemsize)
    if filled < shape[0]:
        raise InputError(f"{name} must hold {shape[0]} rows; it has bytes of {filled}")

    def read(size: int) -> Iterator[Block]:
        beside = {
            column: _names(wanted.path, column, shape[0])
            for column in (*wanted.columns, *([wanted.id] if wanted.id else []))
        }
        with (
            _readable(wanted.path, "an .npz file"),
            zipfile.ZipFile(wanted.path) as archive,
            archive.open(key + _NPY) as file,
        ):
            _header(wanted.path, file)
            for first, x in _arrays(file, name, shape, dtype, size):
                some = {column: ids[first : first + len(x)] for column, ids in beside.items()}
                ids = some.get(wanted.id) if wanted.id else None
                columns = {column: some[column] for column in wanted.columns}
                yield Block(first, as_tensor(x), ids, columns)

    return Source(name=name, rows=shape[0], dim=shape[1], dtype=kind, read=read)


def _is_array(member: str) -> bool:
    return member.endswith(_NPY)


def _streamed(file: IO[bytes]) -> Source:
    """Return the rows of a .npy that comes through a pipe."""
    with _readable("stdin", "a .npy file"):
        shape, fortran, dtype = _header("stdin", file)
    kind = _torch_dtype("stdin", shape, dtype)
    _refuse_fortran("stdin", shape, fortran)

    def read(size: int) -> Iterator[Block]:
        for first, x in _arrays(file, "stdin", shape, dtype, size):
            yield Block(first, as_tensor(x))

    return Source(name="stdin", rows=shape[0], dim=shape[1], dtype=kind, read=read, again=False)


def _header(path: str, file: IO[bytes]) -> Header:
    """Return shape, whether columns come first, and dtype, which a .npy begins with."""
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise InputError(f"{path} must be a .npy of version 1.0 or 2.0; got {version}")
    return readers[version](file)


def _arrays(
    file: IO[bytes], name: str, shape: tuple[int, ...], dtype: np.dtype[Any], size: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the first row of each block and its array, read from where a file stands."""
    for first, end in spans(shape[0], size):
        bytes_of_block = (end - first) * shape[1] * dtype.itemsize
        data = bytearray()
        # A pipe gives what it has.
        while len(data) < bytes_of_block:
            part = file.read(bytes_of_block - len(data))
            if not part:
                at = first + len(data) // (shape[1] * dtype.itemsize)
                raise InputError(f"{name} must hold {shape[0]} rows; it ends in row {at}")
            data += part
        yield first, np.frombuffer(data, dtype).reshape(end - first, shape[1])


def _names(path: str, name: str, rows: int) -> Ids:
    """Return the values of an array of one dimension, as Python has them."""
    with _readable(path, "an .npz file"), np.load(path, allow_pickle=False) as arrays:
        if name not in arrays.files:
            raise InputError(f"{path} has arrays {', '.join(arrays.files)}; got {name!r}")
        found = arrays[name]
    if found.shape != (rows,):
        raise InputError(
            f"{path}[{name}] must have a value for each of {rows} rows; got shape {found.shape}"
        )
    values: list[Any] = found.tolist()
    return values


def _torch_dtype(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> torch.dtype:
    """Return the dtype of rows as torch calls it; InputError for what are no rows of floats."""
    is_float = dtype.kind == "f" and dtype.itemsize <= 8
    refuse_no_rows(name, shape, dtype, floats=is_float)
    return as_tensor(np.empty(0, dtype)).dtype


def _refuse_fortran(name: str, shape: tuple[int, ...], fortran: bool) -> None:
    if fortran and min(shape) > 1:
        raise InputError(
            f"{name} lies column by column; save np.ascontiguousarray of it, or as .npy"
        )


@contextmanager
def _readable(path: str, what: str) -> Iterator[None]:
    """A block that reads a file: what a damaged one raises is one sentence."""
    try:
        yield
    except (InputError, OSError):
        raise
    except (ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as {what} ({error})") from error
