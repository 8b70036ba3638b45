"""Vectors as Kaldi's archives hold them: binary, compressed or written out.

Vectors are read and nothing else: an entry of another kind is refused by its name. The layout is
that of Kaldi's `kaldi-matrix.cc`, `kaldi-vector.cc` and `compressed-matrix.cc`.
"""

import re
import struct
from typing import IO

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError

KINDS = "vectors (FV, DV, text) or matrices of one row (FM, DM, CM, CM2, CM3, text)"
_BINARY = b"\0B"
# Of float32 and float64, with one dimension and two.
_PLAIN = {b"FV": ("<f4", 1), b"DV": ("<f8", 1), b"FM": ("<f4", 2), b"DM": ("<f8", 2)}
# How wide a compressed value is; those of CM have a range for each column.
_COMPRESSED = {b"CM": "u1", b"CM2": "<u2", b"CM3": "u1"}

# No embedding has more values.
_MOST_VALUES = 1 << 16
_LONGEST_KIND = 6
# Digits, a sign, an exponent and a space.
_LONGEST_VALUE = 32


class _EntryError(ValueError):
    """What is wrong with an entry, in words that follow its name."""


def read_vector(file: IO[bytes], where: str, chosen: str = "") -> NDArray[np.floating]:
    """Return the vector at which a file stands; InputError, which begins with `where`, if none."""
    try:
        values = _cut(_values(file), chosen)
        if values.ndim == 2 and len(values) != 1:
            raise _EntryError(f"is a matrix of {len(values)} rows; {KINDS} are read")
        return values.reshape(-1)
    except _EntryError as error:
        raise InputError(f"{where} {error}") from None


def _values(file: IO[bytes]) -> NDArray[np.floating]:
    begin = file.read(2)
    if begin != _BINARY:
        return _text(begin, file)
    token = b""
    while (byte := file.read(1)) not in (b"", b" ") and len(token) < 8:
        token += byte
    if byte == b" " and token in _PLAIN:
        kind, dimensions = _PLAIN[token]
        shape = tuple(_count(file) for _ in range(dimensions))
        return _array(file, kind, shape)
    if byte == b" " and token in _COMPRESSED:
        return _decompressed(file, token)
    raise _EntryError(f"is of the kind {_shown(token)}; {KINDS} are read")


def _decompressed(file: IO[bytes], token: bytes) -> NDArray[np.floating]:
    """Return a compressed matrix: integers of a range, which is the matrix's or the columns'."""
    least, width, rows, columns = struct.unpack("<ffii", _bytes(file, 16))
    shape, kind = (_checked(rows), _checked(columns)), _COMPRESSED[token]
    # Damaged ranges may be infinite.
    with np.errstate(all="ignore"):
        unit = np.float32(width) / np.float32(255 if token == b"CM3" else 65535)
        if token != b"CM":
            return np.float32(least) + unit * _array(file, kind, shape).astype(np.float32)
        # Values at 0, 25, 75 and 100 % of each column, between which its bytes go.
        places = _array(file, "<u2", (shape[1], 4)).astype(np.float32)
        low, first, third, high = (np.float32(least) + unit * places).T[:, :, None]
        bytes_ = _array(file, kind, shape[::-1]).astype(np.float32)
        values: NDArray[np.float32] = np.where(
            bytes_ <= 64,
            low + (first - low) * bytes_ / 64,
            np.where(
                bytes_ <= 192,
                first + (third - first) * (bytes_ - 64) / 128,
                third + (high - third) * (bytes_ - 192) / 63,
            ),
        )
    return values.T.astype(np.float32)


def _text(begin: bytes, file: IO[bytes]) -> NDArray[np.floating]:
    """Return a vector or a matrix that is written out: [ 1 2 3 ], a line for each row."""
    most = _LONGEST_VALUE * _MOST_VALUES
    # As much as the name of another kind has is looked at before a line.
    text = bytearray(begin)
    if not begin.strip().startswith(b"["):
        text += file.read(_LONGEST_KIND)
    if not text.strip():
        text += file.readline(most)
    line, starts = bytes(text), text.lstrip().startswith(b"[")
    while starts and b"]" not in line and len(text) < most and (line := file.readline(most)):
        text += line
    inside = re.fullmatch(rb"\s*\[(.*)\]\s*", text, re.DOTALL)
    if inside is None:
        word = bytes(text[:most].split(maxsplit=1)[0]) if text.strip() else b""
        what = "is cut off" if word.startswith(b"[") else f"is of the kind {_shown(word)}"
        raise _EntryError(f"{what}; {KINDS} are read")
    try:
        rows = [[float(word) for word in line.split()] for line in inside[1].splitlines()]
    except ValueError:
        raise _EntryError("must hold numbers") from None
    rows = [row for row in rows if row]
    if len({len(row) for row in rows}) > 1:
        raise _EntryError("has rows of several lengths")
    return np.array(rows[0] if len(rows) == 1 else rows, np.float64)


def _cut(values: NDArray[np.floating], chosen: str) -> NDArray[np.floating]:
    """Return the part that a range of a list names: [2:5], both ends in it, or [rows,columns]."""
    if not chosen:
        return values
    parts = chosen[1:-1].split(",")
    slices = [_slice(part, size) for part, size in zip(parts, values.shape, strict=False)]
    if len(parts) > values.ndim or None in slices:
        raise _EntryError(f"has no {chosen}; its shape is {values.shape}")
    return values[tuple(slices)]


def _slice(part: str, size: int) -> slice | None:
    """Return what a part of a range chooses of so many; None if there is no such part."""
    ends = re.fullmatch(r"(\d*):(\d*)", part or ":")
    if ends is None:
        return None
    begin, end = int(ends[1] or 0), int(ends[2] or size - 1)
    return slice(begin, end + 1) if begin <= end < size else None


def _count(file: IO[bytes]) -> int:
    """Return a number, which the number of its bytes goes before."""
    width, count = struct.unpack("<bi", _bytes(file, 5))
    if width != 4:
        raise _EntryError(f"has a size of {width} bytes; it must have 4")
    return _checked(count)


def _checked(count: int) -> int:
    if not 0 <= count <= _MOST_VALUES:
        raise _EntryError(f"has size {count}; it must be in 0..{_MOST_VALUES}")
    return count


def _array(file: IO[bytes], kind: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
    dtype, count = np.dtype(kind), _checked(int(np.prod(shape, dtype=np.int64)))
    return np.frombuffer(_bytes(file, dtype.itemsize * count), dtype).reshape(shape)


def _bytes(file: IO[bytes], count: int) -> bytes:
    found = file.read(count)
    if len(found) < count:
        raise _EntryError("is cut off")
    return found


def _shown(token: bytes) -> str:
    """Return a token as a word, if it is one."""
    word = re.match(rb"[!-~]{0,8}", token)
    return repr(word[0].decode()) if word and word[0] else "of no name"
