"""NumPy's archives of arrays, read without running what is in them."""

import lzma
import math
import zipfile
from collections.abc import Hashable
from pathlib import Path

import numpy as np
from numpy.lib.format import (
    MAGIC_PREFIX,
    read_array,
    read_array_header_1_0,
    read_array_header_2_0,
    read_magic,
)
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.files.limits import refuse_bomb
from evaluation.files.reading import opened, reading, refuse_second

NEEDED = ("embeddings", "speaker")
# What only trial lists need, which name rows by it.
UTTERANCE = "utterance"

# What is raised for archives that are damaged, encrypted or packed in ways that are not known.
_NO_ARCHIVE = (zipfile.BadZipFile, lzma.LZMAError, RuntimeError, ValueError)
_SAVE = "np.savez(FILE, embeddings=..., speaker=...) writes one"


def read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an archive that embeddings need, and `utterance` where it is there."""
    with opened(path) as file, reading(path, ".npz archive", *_NO_ARCHIVE):
        _refuse_others(path, file.peek(128)[:128])
        with zipfile.ZipFile(file) as archive:
            return _archived_arrays(path, archive)


def _refuse_others(path: Path, begin: bytes) -> None:
    """Raise InputError for what is often given for an archive, saying what it is."""
    if not begin:
        raise InputError(f"{path}: must be an .npz archive; got an empty file")
    if begin.startswith(MAGIC_PREFIX):
        of = " of Python objects, such as a dict" if b"'|O'" in begin else ""
        raise InputError(f"{path}: must be an .npz archive; got a single .npy array{of}: {_SAVE}")
    if begin.startswith(b"\x1f\x8b"):
        raise InputError(
            f"{path}: must be an .npz archive; got a .gz file: unpack it, or if it is Kaldi's let "
            "its name end in .ark.gz or .scp.gz"
        )
    # Pickles of protocol 2 and later, with the number of the protocol.
    if begin[:1] == b"\x80" and begin[1:2] <= b"\x05":
        raise InputError(
            f"{path}: must be an .npz archive; got a pickle, which is not run: {_SAVE}"
        )


def _archived_arrays(path: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[np.generic]]:
    members: dict[str, str] = {}
    seen: dict[Hashable, int] = {}
    for number, member in enumerate(archive.namelist(), start=1):
        name = member.removesuffix(".npy")
        refuse_second(seen, name, path, f"array {name}", unit="entry", number=number)
        members[name] = member
    missing = [name for name in NEEDED if name not in members]
    if missing:
        raise InputError(
            f"{path}: must hold the arrays {' and '.join(NEEDED)}; "
            f"{', '.join(missing)} missing, found {', '.join(members) or 'none'}"
        )
    wanted = {name: members[name] for name in (*NEEDED, UTTERANCE) if name in members}
    # No more is read of a member than the archive says that it has.
    unpacked = sum(archive.getinfo(member).file_size for member in wanted.values())
    refuse_bomb(path, packed=path.stat().st_size, unpacked=unpacked)
    return {name: _read_array(archive, path, name, wanted[name]) for name in wanted}


def _read_array(
    archive: zipfile.ZipFile, path: Path, name: str, member: str
) -> NDArray[np.generic]:
    with archive.open(member) as file:
        if read_magic(file) == (1, 0):
            shape, _, dtype = read_array_header_1_0(file)
        else:
            shape, _, dtype = read_array_header_2_0(file)
        if dtype.hasobject:
            raise InputError(
                f"{path}: {name} holds Python objects; save it as an array of strings or numbers"
            )
        if dtype.kind not in "fiubSU":
            raise InputError(f"{path}: {name} must be strings or numbers; got {dtype}")
        # NumPy takes memory for the shape before it looks whether there are so many values.
        left = archive.getinfo(member).file_size - file.tell()
        if math.prod(shape) * dtype.itemsize != left:
            raise InputError(
                f"{path}: {name} says that it is {dtype} of shape {shape}, and has {left:,} bytes"
            )
    with archive.open(member) as file:
        array: NDArray[np.generic] = read_array(file, allow_pickle=False)
    return array
