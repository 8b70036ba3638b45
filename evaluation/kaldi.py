"""Kaldi archives of vectors: .ark files, or .scp lists of places in them, and utt2spk.

Vectors are read and nothing else: an archive's entry of another kind is refused by its name, and a
list's command is not run. The layout is that of Kaldi's `kaldi-matrix.cc`, `kaldi-vector.cc` and
`compressed-matrix.cc`.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.limits import open_gz, refuse_bomb

# Each may be compressed, with .gz after it.
KALDI = (".ark", ".scp")
_GZ = ".gz"

KINDS = "vectors (FV, DV, text) or matrices of one row (FM, DM, CM, CM2, CM3, text)"
_BINARY = b"\0B"
# Of float32 and float64, with one dimension and two.
_PLAIN = {b"FV": ("<f4", 1), b"DV": ("<f8", 1), b"FM": ("<f4", 2), b"DM": ("<f8", 2)}
# How wide a compressed value is; those of CM have a range for each column.
_COMPRESSED = {b"CM": "u1", b"CM2": "<u2", b"CM3": "u1"}

# No embedding has more values, and no utterance a longer name.
_MOST_VALUES = 1 << 16
_LONGEST_NAME = 4096
_LONGEST_KIND = 6
# Digits, a sign, an exponent and a space.
_LONGEST_VALUE = 32

_PLACE = re.compile(r"(?P<path>[^\0]*?)(?::(?P<offset>[0-9]{1,18}))?(?P<range>\[[0-9:,]{0,40}\])?")


class _EntryError(ValueError):
    """What is wrong with an entry, in words that follow its name."""


def is_kaldi(path: Path) -> bool:
    """Return whether a file's name is that of an archive or of a list."""
    return _kind(path) in KALDI


def read_kaldi(path: Path, utt2spk: Path | None = None) -> dict[str, NDArray[np.generic]]:
    """Return the arrays embeddings, speaker and utterance of an archive, in its order.

    utt2spk, lines of `utterance speaker`, lies in the same folder if none is given. An entry of a
    list that is a command, which Kaldi would run, is refused.
    """
    if utt2spk is None:
        utt2spk = path.with_name("utt2spk")
        if not utt2spk.exists():
            raise InputError(f"{utt2spk}: no such file; --utt2spk names one elsewhere")
    speakers = dict(_pairs(utt2spk))
    names: list[str] = []
    rows: list[NDArray[np.floating]] = []
    for name, row in _vectors(path):
        if name not in speakers:
            raise InputError(f"{utt2spk}: no speaker for utterance '{name}'")
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"{path}: must hold vectors of one length; got {len(row)} for utterance '{name}' "
                f"and {len(rows[0])} for '{names[0]}'"
            )
        names.append(name)
        rows.append(row)
    return {
        "embeddings": np.array(rows),
        "speaker": np.array([speakers[name] for name in names]),
        "utterance": np.array(names),
    }


def _vectors(path: Path) -> Iterator[tuple[str, NDArray[np.floating]]]:
    archive = path
    try:
        if _kind(path) == ".ark":
            with _opened(path) as file:
                while name := _name(file, path):
                    yield name, _vector(file, f"{path}: utterance '{name}'")
            return
        with ExitStack() as files:
            opened: tuple[Path, IO[bytes]] | None = None
            # Lines may all name one vector: what they give is held to the sizes of the archives.
            sizes, taken = {path: path.stat().st_size}, 0
            for name, place in _pairs(path):
                archive, offset, chosen = _place(path, place)
                if opened is None or opened[0] != archive:
                    files.close()
                    opened = archive, files.enter_context(_opened(archive))
                    sizes[archive] = archive.stat().st_size
                opened[1].seek(offset)
                where = f"{path}: utterance '{name}', at {offset} in {archive},"
                vector = _vector(opened[1], where, chosen)
                taken += vector.nbytes
                refuse_bomb(path, packed=sum(sizes.values()), unpacked=taken)
                yield name, vector
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or archive}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{archive}: not a readable Kaldi archive ({error})") from error


def _kind(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == _GZ else path).suffix


def _opened(path: Path) -> IO[bytes]:
    # To open a pipe is to wait for who writes to it, and a device has no end.
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: must be a file; it is a folder, pipe or device")
    return open_gz(path) if path.suffix == _GZ else path.open("rb")


def _place(listed: Path, place: str) -> tuple[Path, int, str]:
    """Return the file of a place, the byte at which its entry begins, and which part of it."""
    if place.startswith("|") or place.endswith("|"):
        raise InputError(f"{listed}: must list places in files; got the command '{place}'")
    if place == "-":
        raise InputError(f"{listed}: must list places in files; got '-', the standard input")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise InputError(f"{listed}: must list places as file:offset; got '{place}'")
    path = Path(found["path"])
    # Kaldi takes paths from where it runs; archives that were moved lie beside their list.
    beside = listed.parent / path
    return beside if beside.exists() else path, int(found["offset"] or 0), found["range"] or ""


def _name(file: IO[bytes], path: Path) -> str:
    """Return the name of the next entry of an archive, and read on to what follows it."""
    name = b""
    while (byte := file.read(1)) and len(name) <= _LONGEST_NAME:
        if not byte.isspace():
            name += byte
        elif name:
            break
    if not name:
        return ""
    if not byte or not byte.isspace():
        raise InputError(f"{path}: not a Kaldi archive, or cut off: {name[:20]!r} is no name")
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a Kaldi archive: {name[:20]!r} is no name") from None


def _vector(file: IO[bytes], where: str, chosen: str = "") -> NDArray[np.floating]:
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
    slices = []
    for part, size in zip(parts, values.shape, strict=False):
        first, _, last = part.partition(":")
        begin, end = int(first or 0), int(last or size - 1) if ":" in part else -1
        if part not in ("", ":") and not (":" in part and begin <= end < size):
            raise _EntryError(f"has no {chosen}; its shape is {values.shape}")
        slices.append(slice(begin, end + 1) if part not in ("", ":") else slice(None))
    if len(parts) > values.ndim:
        raise _EntryError(f"has no {chosen}; its shape is {values.shape}")
    return values[tuple(slices)]


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


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with _opened(path) as file:
            for number, raw in enumerate(file, start=1):
                line = raw.decode()
                words = line.split(maxsplit=1)
                if len(words) != 2:
                    line = line.rstrip("\n")
                    raise InputError(f"{path}, line {number}: must be two words; got '{line}'")
                yield words[0], words[1].strip()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable list ({error})") from error
