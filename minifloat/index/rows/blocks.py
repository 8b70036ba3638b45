"""Where codes lie on the disk: files that never change, and what is too little for a file yet."""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from torch import Tensor

from minifloat.files import replacing, storage
from minifloat.files.headers import BESIDE
from minifloat.files.stored import Stored
from minifloat.index.catalog.catalog import Catalog, checksum
from minifloat.index.catalog.errors import DamagedError
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.store import UNIT, Store

# So many rows are worth a file, and one has no more than so many: of what is erased whole files are
# written anew.
SEALED, MOST = 16 * UNIT, 256 * UNIT

_NAME = re.compile(r"block-[0-9a-f]{32}\.safetensors")


def name_of(digits: str) -> str:
    """Return the name of a file by 32 hexadecimal digits that no other has."""
    return f"block-{digits}.safetensors"


def write_file(folder: Path, kind: Kind, fields: dict[str, Tensor], name: str | None = None) -> str:
    """Write rows into a file of their own, onto the disk; return its name, which may be given."""
    name = name or name_of(uuid4().hex)
    of_each = {one: fields[one] for one in kind.fields()}
    beside = {one: fields[one] for one in BESIDE if one in fields}
    stored = Stored(
        format=kind.format,
        dim=kind.dim,
        estimator=kind.estimator,
        frame=kind.frame,
        beside=beside,
        **of_each,
    )
    try:
        storage.save(folder / name, stored, sync=True)
    except OSError as error:
        what = (
            f"rows cannot be written: {error.strerror or error}; see to the disk, and do it again"
        )
        raise OSError(error.errno or errno.EIO, what, str(folder / name)) from error
    return name


def as_part(kind: Kind, first: int, fields: dict[str, Tensor]) -> tuple[int, int, bytes, int]:
    """Return rows as the catalog keeps few of them: first position, count, bytes and their sum."""
    data = b"".join(
        fields[name].contiguous().view(torch.uint8).numpy().tobytes()
        for name in (*kind.fields(), *BESIDE)
        if name in fields
    )
    count = len(fields["rows"])
    return first, count, data, sum_of(first, count, data)


def of_part(kind: Kind, count: int, data: bytes) -> dict[str, Tensor]:
    """Return what is kept of each row of a part."""
    # Where ids are texts nothing but rows' numbers is beside them.
    widths = kind.fields() | dict.fromkeys(BESIDE, (torch.int64, ()))
    found, begin = {}, 0
    whole = torch.from_numpy(np.frombuffer(data, np.uint8).copy())
    for name, (dtype, shape) in widths.items():
        of_one = torch.empty(1, *shape, dtype=dtype).nbytes
        some = whole[begin : begin + count * of_one]
        begin += len(some)
        if len(some) == count * of_one:
            found[name] = some.clone().view(dtype).view(count, *shape)
        elif name != "ids" or len(some):
            raise DamagedError(f"rows of the catalog are damaged: {len(data)} bytes of {count}")
    return found


def sum_of(first: int, count: int, data: bytes) -> int:
    """Return the sum of a part."""
    return zlib.crc32(data, checksum(first, count))


def fill(store: Store, catalog: Catalog, folder: Path | None, count: int) -> Store:
    """Put rows up to a count into a store that has some of them; return where all are then."""
    files = catalog.all("SELECT first, count, name FROM blocks ORDER BY first")
    for first, rows, name in files:
        if first + rows > store.count and folder is not None and store.count < count:
            store = store.append_file(folder / name, rows, store.count - first, rows)
    for first, fields in parts_from(catalog, store.kind, store.count):
        store = store.append({name: some[store.count - first :] for name, some in fields.items()})
    if store.count < count:
        raise DamagedError(
            f"{catalog.path} is damaged: it holds {store.count} rows of {count} that it says"
        )
    return store


def parts_from(
    catalog: Catalog, kind: Kind, position: int
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield what the catalog keeps of rows from a position on: where it begins, and its fields."""
    parts = catalog.all(
        "SELECT first, count, data, sum FROM parts WHERE first + count > ? ORDER BY first",
        (position,),
    )
    for first, rows, data, said in parts:
        if said != sum_of(first, rows, data):
            raise DamagedError(
                f"{catalog.path} is damaged: rows at {first} have another sum than they say"
            )
        yield first, of_part(kind, rows, data)


def spread(
    folder: Path | None, kind: Kind, first: int, rows: int, fields: Any
) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, bytes, int]]]:
    """Write rows into files, and return these and what is left of them, as the catalog keeps both.

    fields: what gives what is kept of rows from a position to another.
    """
    files, at, end = [], first, first + rows
    while folder is not None and end - at >= SEALED:
        some = min(MOST, (end - at) // UNIT * UNIT)
        files.append((at, some, write_file(folder, kind, fields(at, at + some))))
        at += some
    parts = [as_part(kind, at, fields(at, end))] if at < end else []
    return files, parts


def sweep(folder: Path, kept: Iterable[str]) -> None:
    """Remove files of blocks that no version has, and halves of files: killed writers left them."""
    replacing.sweep(folder)
    names = set(kept)
    for name in os.listdir(folder):
        if _NAME.fullmatch(name) and name not in names:
            (folder / name).unlink(missing_ok=True)
