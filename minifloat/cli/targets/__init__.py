"""Files that rows are written to, by the ends of their names."""

from __future__ import annotations

import os

from minifloat.cli.errors import InputError
from minifloat.cli.targets.arrow_files import to_arrow, to_parquet
from minifloat.cli.targets.numpy_files import to_npy, to_npz
from minifloat.cli.targets.safetensors_files import to_safetensors
from minifloat.cli.targets.target import Rows, Write
from minifloat.cli.writing import PIPE

__all__ = ["WRITERS", "Rows", "Write", "writer"]

WRITERS: dict[str, Write] = {
    ".npy": to_npy,
    ".npz": to_npz,
    ".safetensors": to_safetensors,
    ".parquet": to_parquet,
    ".arrow": to_arrow,
    ".feather": to_arrow,
}


def writer(path: str) -> Write:
    """Return what writes a file of rows; InputError for one of a kind that is not written."""
    if path == PIPE:
        return to_npy
    found = WRITERS.get(os.path.splitext(path)[1].lower())
    if found is None:
        raise InputError(f"{path} must end in {', '.join(WRITERS)}, or be - for .npy to stdout")
    return found
