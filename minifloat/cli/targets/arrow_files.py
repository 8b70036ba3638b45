"""Rows to Parquet and to Arrow's files, block by block."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from minifloat.cli.errors import require
from minifloat.cli.targets.target import IDS, Rows
from minifloat.cli.writing import whole

_VECTORS = "vector"


def to_parquet(path: str, rows: Rows) -> None:
    """Write the columns `vector`, lists of one size, and `id`; a group of rows a block."""
    parquet = require("pyarrow.parquet", needs="Parquet needs", extra="arrow")
    _write(path, rows, lambda file, schema: parquet.ParquetWriter(file, schema))


def to_arrow(path: str, rows: Rows) -> None:
    """Write the columns `vector`, lists of one size, and `id`; a record batch a block."""
    ipc = require("pyarrow", needs="Arrow files need", extra="arrow").ipc
    _write(path, rows, lambda file, schema: ipc.new_file(file, schema))


def _write(path: str, rows: Rows, opened: Callable[[Any, Any], Any]) -> None:
    pyarrow = require("pyarrow", needs="Arrow files need", extra="arrow")
    first = next(rows.parts)
    names = [_VECTORS, *([IDS] if rows.has_ids else [])]
    kind = pyarrow.list_(pyarrow.from_numpy_dtype(rows.dtype), rows.dim)
    types = [kind, *([pyarrow.array(first.ids).type] if rows.has_ids else [])]
    schema = pyarrow.schema(list(zip(names, types, strict=True)))
    with whole(path) as file, opened(file, schema) as written:
        for part in chain([first], rows.parts):
            values = pyarrow.array(np.ascontiguousarray(part.x).reshape(-1))
            columns = [pyarrow.FixedSizeListArray.from_arrays(values, type=kind)]
            if rows.has_ids:
                columns.append(pyarrow.array(part.ids, types[1]))
            written.write_batch(pyarrow.record_batch(columns, schema=schema))
