"""Embedding files: rows, and who speaks in each."""

import hashlib
import lzma
import math
import zipfile
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from evaluation.extracted import EXTENSION, read_extracted
from evaluation.files.limits import refuse_bomb
from evaluation.files.reading import opened, reading, refuse_second
from evaluation.kaldi import is_kaldi, read_kaldi
from evaluation.recordings.labels import texts_of

NEEDED = ("embeddings", "speaker")
# What only trial lists need, which name rows by it.
UTTERANCE = "utterance"

# What is raised for archives that are damaged, encrypted or packed in ways that are not known.
_NO_ARCHIVE = (zipfile.BadZipFile, lzma.LZMAError, RuntimeError, ValueError)
_SAVE = "np.savez(FILE, embeddings=..., speaker=...) writes one"


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Rows of one model, grouped by speaker.

    `speaker` counts from 0 and never decreases along the rows; `speaker_names[speaker[i]]` names
    the speaker of row i. `utterance` names rows, for trial lists, where the file does. Row i was
    row `file_row[i]` of the file.
    """

    name: str
    rows: NDArray[np.float32]
    speaker: NDArray[np.int32]
    speaker_names: list[str]
    utterance: list[str] | None
    sha256: str
    file_row: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Values of one row."""
        return int(self.rows.shape[1])

    def blocks(self, *, rows: int = 16384) -> Iterator[slice]:
        """Slices that cover all rows in order, each of at most `rows` rows."""
        for start in range(0, len(self), rows):
            yield slice(start, min(start + rows, len(self)))


def at_unit_length(rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return rows (..., dim) in float64 at length 1, zero rows as they are."""
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(np.divide(wide, length, out=wide, where=length > 0))


def load_embeddings(
    path: Path, *, name: str | None = None, utt2spk: Path | None = None
) -> Embeddings:
    """Return the embeddings of a file, grouped by speaker, otherwise in file order.

    They are called by `name`, or else as the file is.
    An .npz file holds `embeddings` (rows, dim) of any float type, `speaker` (rows,) and, if trial
    lists are to name its rows, `utterance` (rows,). A .safetensors file is what `python -m
    evaluation extract` writes, manifest included. An .ark or .scp file is Kaldi's, with speakers in
    `utt2spk`, or else in a file of that name beside it; each may have .gz after it. Rows are taken
    as float32, which is what every format is compared with.
    """
    if path.suffix == EXTENSION:
        arrays = _extracted_arrays(path)
    elif is_kaldi(path):
        arrays = read_kaldi(path, utt2spk)
    else:
        arrays = _npz_arrays(path)
    embeddings, speaker = (arrays[name] for name in NEEDED)
    utterance = arrays.get(UTTERANCE)
    if embeddings.ndim != 2 or embeddings.dtype.kind != "f" or 0 in embeddings.shape:
        raise InputError(
            f"{path}: embeddings must be floats of shape (rows, dim), neither 0; "
            f"got {embeddings.dtype} of shape {embeddings.shape}"
        )
    for array, labels in (("speaker", speaker), (UTTERANCE, utterance)):
        if labels is not None and labels.shape != embeddings.shape[:1]:
            raise InputError(
                f"{path}: {array} must have one label per row, shape {embeddings.shape[:1]}; "
                f"got shape {labels.shape}"
            )
    speakers = texts_of(path, "speaker", speaker)
    utterances = None if utterance is None else texts_of(path, UTTERANCE, utterance)
    with np.errstate(over="ignore"):
        rows = embeddings.astype(np.float32, copy=False)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        called = "" if utterances is None else f" (utterance '{utterances[bad[0]]}')"
        raise InputError(
            f"{path}: every value must be finite in float32; row {bad[0]}{called} is not, "
            f"{len(bad)} of {len(rows)} rows in all"
        )
    names, codes = np.unique(speakers, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return Embeddings(
        name=path.stem if name is None else name,
        rows=np.ascontiguousarray(rows if (order[1:] > order[:-1]).all() else rows[order]),
        speaker=codes[order].astype(np.int32),
        speaker_names=[str(name) for name in names],
        utterance=None if utterances is None else [utterances[row] for row in order],
        sha256=_digest(path),
        file_row=order,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _extracted_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    found = read_extracted(path)
    return {
        "embeddings": found.rows,
        "speaker": np.array([entry.speaker for entry in found.entries]),
        UTTERANCE: np.array([entry.utterance for entry in found.entries]),
    }


def _npz_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    with opened(path) as file, reading(path, ".npz archive", *_NO_ARCHIVE):
        _refuse_others(path, file.peek(128)[:128])
        with zipfile.ZipFile(file) as archive:
            return _archived_arrays(path, archive)


def _refuse_others(path: Path, begin: bytes) -> None:
    """Nothing; what is often given for an archive is an error that says what it is."""
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
