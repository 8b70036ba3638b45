"""Files that rows are written to, by the ends of their names."""

from __future__ import annotations

import os

from minifloat.cli.errors import InputError
from minifloat.cli.targets.arrow_files import (
    packed_to_arrow,
    packed_to_parquet,
    to_arrow,
    to_parquet,
)
from minifloat.cli.targets.numpy_files import to_npy, to_npz
from minifloat.cli.targets.safetensors_files import packed_to_safetensors, to_safetensors
from minifloat.cli.targets.target import PackedPart, PackedRows, Part, Rows, Write, WritePacked
from minifloat.cli.writing import PIPE

__all__ = ["PackedPart", "PackedRows", "Part", "Rows", "packed_writer", "writer"]

WRITERS: dict[str, Write] = {
    ".npy": to_npy,
    ".npz": to_npz,
    ".safetensors": to_safetensors,
    ".parquet": to_parquet,
    ".arrow": to_arrow,
    ".feather": to_arrow,
}


PACKED_WRITERS: dict[str, WritePacked] = {
    ".safetensors": packed_to_safetensors,
    ".parquet": packed_to_parquet,
    ".arrow": packed_to_arrow,
    ".feather": packed_to_arrow,
}


def packed_writer(path: str) -> WritePacked | None:
    """Return what writes a file of packed rows, or None where a file holds floats alone."""
    return PACKED_WRITERS.get(os.path.splitext(path)[1].lower())


def writer(path: str) -> Write:
    """Return what writes a file of rows; InputError for one of a kind that is not written."""
    if path == PIPE:
        return to_npy
    found = WRITERS.get(os.path.splitext(path)[1].lower())
    if found is None:
        raise InputError(f"{path} must end in {', '.join(WRITERS)}, or be - for .npy to stdout")
    return found
