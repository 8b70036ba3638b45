"""What the header of a file of packed vectors says: safetensors, with a few keys."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO, Any

import safetensors
from torch import Tensor

from minifloat.files import checksums
from minifloat.files.checksums import Span
from minifloat.files.frame_facts import FrameFacts
from minifloat.formats import Format, as_format
from minifloat.frames import MOST_AXES, Frame
from minifloat.scaling import ESTIMATORS

# Of rows whose norms are those of their codes, and of all others.
PLAIN, SCALED = "1", "2"

# In their order in new files, where floats so lie at whole multiples of 4 bytes.
DTYPES = {
    "reciprocal_norms": "F32",
    "coordinates": "F32",
    "frame_axes": "F32",
    "codes": "U8",
    "errors": "U8",
    "rows": "I64",
    "ids": "I64",
}
# What an index keeps of each row beside the rows of a file.
BESIDE = ("rows", "ids")
# What is in one is mapped by whole pages.
PAGE = 4096
# Those of every file, and those that rows in a frame have beside them.
ALWAYS = ("reciprocal_norms", "codes")
FRAMED = ("coordinates", "frame_axes")

# So that all numbers of bytes are far below 2^63.
_MOST_DIGITS = 15


@dataclass(frozen=True)
class Layout:
    """What rows a file has, where its tensors lie in it, and their checksums if it has some.

    frame: what a frame is made of beside its axes, of rows that are in one.
    """

    format: Format
    dim: int
    rows: int
    estimator: str
    frame: FrameFacts | None
    places: dict[str, Span]
    sums: checksums.Checksums | None

    @property
    def seed(self) -> int:
        """Where sums start."""
        digest = "" if self.frame is None else self.frame.digest
        return checksums.seed(self.format, self.dim, self.rows, self.estimator, digest)


def facts(format: Format, dim: int, estimator: str, frame: Frame | None) -> dict[str, str]:
    """Return the keys and texts that say what rows a file has."""
    plain = frame is None and estimator == "norm"
    found = {"format": format.name, "dim": str(dim), "version": PLAIN if plain else SCALED}
    if not plain:
        found["estimator"] = estimator
    if frame is not None:
        found["frame"] = FrameFacts.of(frame).text()
    return found


def header(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str], unit: int = 8
) -> tuple[bytes, list[int]]:
    """Return what comes before the tensors in a file, and where each of them begins.

    The first begins at a whole number of units of bytes.
    """
    described: dict[str, Any] = {"__metadata__": metadata}
    ends = [0]
    for name, tensor in tensors.items():
        ends.append(ends[-1] + tensor.nbytes)
        described[name] = {
            "dtype": DTYPES[name],
            "shape": list(tensor.shape),
            "data_offsets": ends[-2:],
        }
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % unit)
    whole = len(text).to_bytes(8, "little") + text
    return whole, [len(whole) + begin for begin in ends[:-1]]


@contextmanager
def opened(path: str | Path) -> Iterator[tuple[FileIO, Layout]]:
    """Yield a file that is of this kind and its layout; ValueError if it is of another."""
    while True:
        # To open a pipe is to wait for who writes to it, and a device has no end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(
                f"{path} cannot be read: it must be a file; it is a folder, pipe or device"
            )
        with open(path, "rb", buffering=0) as file:
            try:
                with safetensors.safe_open(path, framework="np"):
                    pass
            except safetensors.SafetensorError as error:
                raise ValueError(f"{path} is not a safetensors file: {error}") from error
            # Else the library has seen one that was saved in between.
            if os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                yield file, _layout(path, file)
                return


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; ValueError for a key that is there twice: either might count."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {twice!r} is there twice")
    return found


def described(file: IO[bytes]) -> dict[str, Any]:
    """Return the JSON at the start of a file that the library takes for safetensors."""
    length = int.from_bytes(file.read(8), "little")
    header: dict[str, Any] = json.loads(file.read(length), object_pairs_hook=once_each)
    return header


def _layout(path: str | Path, file: FileIO) -> Layout:
    try:
        tensors = described(file)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    start = file.tell()
    metadata = tensors.pop("__metadata__", None) or {}
    missing = [key for key in ("format", "dim", "version") if key not in metadata]
    missing += sorted(set(ALWAYS) - tensors.keys())
    if missing:
        raise ValueError(f"{path} holds no packed vectors: it lacks {', '.join(missing)}")
    if metadata["version"] not in (PLAIN, SCALED):
        raise ValueError(
            f"{path} has version {metadata['version']!r}; this reads {PLAIN!r} and {SCALED!r}"
        )
    dim_text = metadata["dim"]
    if not dim_text.isdecimal() or len(dim_text) > _MOST_DIGITS or int(dim_text) < 1:
        raise ValueError(f"{path} has dim {dim_text!r}; it must be a number above 0")
    try:
        format, dim = as_format(metadata["format"]), int(dim_text)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    codes, norms = tensors["codes"], tensors["reciprocal_norms"]
    shape, norms_shape = tuple(codes["shape"]), tuple(norms["shape"])
    if (shape, norms_shape) != ((*shape[:1], format.row_bytes(dim)), shape[:1]):
        raise ValueError(
            f"{path} must have codes of {format.row_bytes(dim)} bytes a row for dim {dim} in "
            f"{format}, and a reciprocal norm for each; got shapes {shape, norms_shape}"
        )
    try:
        estimator, frame = _scaling(metadata, tensors, shape[0], dim)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    try:
        names = _names(tensors, shape[0], framed=frame is not None)
        sums = checksums.read(metadata, shape[0], checksums.of_each(names))
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error
    places = {
        name: (start + tensors[name]["data_offsets"][0], start + tensors[name]["data_offsets"][1])
        for name in names
    }
    return Layout(format, dim, shape[0], estimator, frame, places, sums)


def _names(tensors: Mapping[str, Any], rows: int, *, framed: bool) -> list[str]:
    """Return which tensors are read, in their order; ValueError for others than theirs."""
    read = {*ALWAYS, *(FRAMED if framed else ()), *(tensors.keys() & {"errors", *BESIDE})}
    names = [name for name in DTYPES if name in read]
    given, wanted = [tensors[name]["dtype"] for name in names], [DTYPES[name] for name in names]
    if given != wanted:
        raise ValueError(
            f"must hold {', '.join(names)} as {', '.join(wanted)}; got {', '.join(given)}"
        )
    for name in ("errors", *BESIDE):
        shape = tensors[name]["shape"] if name in names else [rows]
        if shape != [rows]:
            raise ValueError(
                f"must have {name} of each of {rows} rows, if any; got shape {tuple(shape)}"
            )
    return names


def _scaling(
    metadata: Mapping[str, str], tensors: Mapping[str, Any], rows: int, dim: int
) -> tuple[str, FrameFacts | None]:
    """Return the estimator of rows and their frame's facts; ValueError for what are none."""
    if metadata["version"] == PLAIN:
        return "norm", None
    estimator = metadata.get("estimator")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}; got {estimator!r}")
    if "frame" not in metadata:
        return estimator, None
    missing = [name for name in FRAMED if name not in tensors]
    if missing:
        raise ValueError(f"rows in a frame need {', '.join(missing)}")
    coordinates, axes = (tuple(tensors[name]["shape"]) for name in FRAMED)
    if coordinates != (rows, *axes[:1]) or axes[1:] != (dim,) or axes[0] > MOST_AXES:
        raise ValueError(
            f"{rows} rows of dim {dim} in a frame must have at most {MOST_AXES} axes, and as many "
            f"coordinates each; got shapes {axes} and {coordinates}"
        )
    return estimator, FrameFacts.read(metadata["frame"])
