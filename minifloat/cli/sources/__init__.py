"""Files that rows are read from, by the ends of their names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial

from minifloat.cli.errors import InputError
from minifloat.cli.sources.arrow_files import from_arrow, from_parquet
from minifloat.cli.sources.ids import as_line, id_lines
from minifloat.cli.sources.numpy_files import from_npy, from_npz
from minifloat.cli.sources.safetensors_files import from_safetensors, is_packed
from minifloat.cli.sources.source import Block, Ids, Source, Wanted, rows_named
from minifloat.cli.writing import PIPE

__all__ = [
    "Block",
    "Ids",
    "Source",
    "Wanted",
    "as_line",
    "id_lines",
    "is_packed",
    "opened",
    "rows_named",
]

READERS: dict[str, Callable[[Wanted], Source]] = {
    ".npy": from_npy,
    ".npz": from_npz,
    ".safetensors": from_safetensors,
    ".parquet": from_parquet,
    ".arrow": from_arrow,
    ".feather": from_arrow,
}


def opened(wanted: Wanted) -> Source:
    """Return the rows of a file; InputError for one that is of no kind that is read."""
    if wanted.id is not None and wanted.ids is not None:
        raise InputError("ids come by --id or by --ids; got both")
    source = _reader(wanted.path)(wanted)
    if wanted.ids is None:
        return source
    return source.with_ids(partial(id_lines, wanted.ids), wanted.ids)


def _reader(path: str) -> Callable[[Wanted], Source]:
    if path == PIPE:
        return from_npy
    reader = READERS.get(os.path.splitext(path)[1].lower())
    if reader is None:
        raise InputError(f"{path} must end in {', '.join(READERS)}, or be - for .npy from stdin")
    # To open a pipe is to wait for who writes to it, and a device has no end.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise InputError(f"{path} must be a file; it is a folder, pipe or device")
    return reader
