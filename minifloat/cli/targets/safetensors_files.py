"""Rows to safetensors, block by block."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minifloat.cli.errors import InputError
from minifloat.cli.gathering import Gathered
from minifloat.cli.targets.target import IDS, VECTORS, PackedRows, Rows
from minifloat.cli.writing import whole

_NAMES = {2: "F16", 4: "F32", 8: "F64"}


def to_safetensors(path: str, rows: Rows) -> None:
    """Write the tensor `embeddings` and, with ids that are integers, `id`."""
    size = rows.rows * rows.dim * rows.dtype.itemsize
    shape = [rows.rows, rows.dim]
    tensors: dict[str, Any] = {VECTORS: _said(_NAMES[rows.dtype.itemsize], shape, 0, size)}
    if rows.has_ids:
        tensors[IDS] = _said("I64", shape[:1], size, size + 8 * rows.rows)
    text = json.dumps(tensors, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    ids: list[Any] = []
    with whole(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for part in rows.parts:
            # Files are little-endian.
            file.write(np.ascontiguousarray(part.x, rows.dtype.newbyteorder("<")).data)
            ids += part.ids or ()
            if any(type(one) is not int for one in part.ids or ()):
                raise InputError(
                    f"{path}: safetensors hold ids that are integers alone; .npz, Parquet and "
                    f"Arrow hold others; got {ids[0]!r}"
                )
        if rows.has_ids:
            file.write(np.array(ids, "<i8").data)


def packed_to_safetensors(path: str, rows: PackedRows) -> None:
    """Write a file of packed vectors, in which ids have no place."""
    if rows.has_ids:
        raise InputError(f"{path}: a packed file has no place for ids; Parquet and Arrow have")
    gathered = Gathered(rows.rows)
    for part in rows.parts:
        gathered.put(part.x)
    gathered.rows().save(path)


def _said(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
