"""The bytes of rows in arrays of Arrow, in whatever storage they come."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from minifloat.vectors.required import required
from minifloat.vectors.row_bytes import Bytes

pa = required("pyarrow", needs="columns of Arrow need pyarrow", extra="arrow")
types = pa.types

Storage = Literal["binary", "list"]


def storage_type(storage: Storage, width: int) -> Any:
    """Return the type in which rows of so many bytes are stored."""
    return pa.binary(width) if storage == "binary" else pa.list_(pa.uint8(), width)


def stored(rows: Bytes, storage: Storage) -> Any:
    """Return an array of rows (rows, bytes of one), which shares their memory."""
    count, width = rows.shape
    buffers = [None, pa.py_buffer(rows)]
    if storage == "binary":
        return pa.Array.from_buffers(storage_type(storage, width), count, buffers)
    return pa.FixedSizeListArray.from_arrays(
        pa.Array.from_buffers(pa.uint8(), rows.size, buffers), width
    )


def width_of(array: Any) -> int | None:
    """Return how many bytes a row has: by the type, or else the first row, if there is one.

    Raises TypeError for an array that holds no bytes.
    """
    kind = array.type
    if types.is_fixed_size_binary(kind):
        return int(kind.byte_width)
    if types.is_fixed_size_list(kind) and kind.value_type == pa.uint8():
        return int(kind.list_size)
    lengths = _lengths(_plain(array))
    return int(lengths[0]) if len(lengths) else None


def rows_of(array: Any, width: int, first: int = 0) -> Bytes:
    """Return the rows of an array (rows, bytes of one), in its own memory, which others may read.

    Raises ValueError for the first row that is null or has other than so many bytes; its number is
    from `first` on.
    """
    if array.null_count:
        row = first + array.is_null().index(True).as_py()
        raise ValueError(f"row {row} is null; each row must have its {width} bytes")
    plain = _plain(array)
    lengths = _lengths(plain)
    other = lengths != width
    if other.any():
        row = int(other.argmax())
        raise ValueError(f"row {first + row} has {lengths[row]} bytes; each must have {width}")
    if types.is_fixed_size_binary(plain.type):
        return _rows(plain.buffers()[1], width * plain.offset, len(plain), width)
    if types.is_binary(plain.type) or types.is_large_binary(plain.type):
        begin = int(_offsets(plain)[0]) if len(plain) else 0
        return _rows(plain.buffers()[2], begin, len(plain), width)
    values = plain.flatten()
    if values.null_count:
        row = first + values.is_null().index(True).as_py() // width
        raise ValueError(f"row {row} has a byte that is null; each must have its {width} bytes")
    return _rows(values.buffers()[1], values.offset, len(plain), width)


def _plain(array: Any) -> Any:
    """Return an array of bytes as one of those whose memory is known here; else TypeError."""
    kind = array.type
    if types.is_fixed_size_binary(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return array
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    if is_list and kind.value_type == pa.uint8():
        return array
    reason = ""
    if types.is_binary_view(kind):
        try:
            return array.cast(pa.large_binary())
        except pa.ArrowNotImplementedError as error:
            reason = f" ({error})"
    raise TypeError(
        "packed vectors come as fixed-size or other binary, or as fixed-size or other lists of "
        f"uint8; got {kind}{reason}"
    )


def _lengths(plain: Any) -> NDArray[Any]:
    """Return how many bytes each row has."""
    kind = plain.type
    if types.is_fixed_size_binary(kind) or types.is_fixed_size_list(kind):
        size = kind.byte_width if types.is_fixed_size_binary(kind) else kind.list_size
        return np.broadcast_to(np.int64(size), len(plain))
    offsets = _offsets(plain)
    found: NDArray[Any] = offsets[1:] - offsets[:-1]
    return found


def _offsets(plain: Any) -> NDArray[Any]:
    """Return where each row begins among the values, and where the last ends."""
    if not len(plain):
        return np.zeros(1, np.int64)
    is_large = types.is_large_binary(plain.type) or types.is_large_list(plain.type)
    dtype = np.dtype(np.int64 if is_large else np.int32)
    at = plain.offset * dtype.itemsize
    return np.frombuffer(plain.buffers()[1], dtype, len(plain) + 1, at)


def _rows(buffer: Any, begin: int, count: int, width: int) -> Bytes:
    if not count:
        return np.empty((0, width), np.uint8)
    return np.frombuffer(buffer, np.uint8, count * width, begin).reshape(count, width)
