"""Rows to .npy and .npz, block by block."""

from __future__ import annotations

import zipfile
from typing import IO, Any

import numpy as np

from minifloat.cli.errors import InputError
from minifloat.cli.targets.target import IDS, VECTORS, Rows
from minifloat.cli.writing import whole


def to_npy(path: str, rows: Rows) -> None:
    """Write an array; ids have no place there."""
    if rows.has_ids:
        raise InputError(f"{path}: .npy has no place for ids; .npz, Parquet and Arrow have")
    with whole(path) as file:
        _write(file, rows)


def to_npz(path: str, rows: Rows) -> None:
    """Write an archive of the arrays `embeddings` and, with ids, `id`."""
    with whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        with archive.open(f"{VECTORS}.npy", "w", force_zip64=True) as member:
            ids = _write(member, rows)
        if rows.has_ids:
            with archive.open(f"{IDS}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.array(ids), allow_pickle=False)


def _write(file: IO[bytes], rows: Rows) -> list[Any]:
    """Write the array of all rows; return their ids."""
    facts = {
        "descr": np.lib.format.dtype_to_descr(rows.dtype),
        "fortran_order": False,
        "shape": (rows.rows, rows.dim),
    }
    np.lib.format.write_array_header_1_0(file, facts)
    ids: list[Any] = []
    for part in rows.parts:
        file.write(np.ascontiguousarray(part.x).data)
        ids += part.ids or ()
    return ids
