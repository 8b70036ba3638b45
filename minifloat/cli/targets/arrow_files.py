"""Rows, floats or packed, to Parquet and to Arrow's files, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from minifloat.cli.errors import require
from minifloat.cli.targets.target import IDS, PackedRows, Rows
from minifloat.cli.writing import whole

_VECTORS = "vector"

# A column of vectors, and ids.
_Columns = tuple[Any, list[Any] | None]


def to_parquet(path: str, rows: Rows) -> None:
    """Write the columns `vector`, lists of one size, and `id`; a group of rows a block."""
    _write(path, _parquet(), _columns(rows), has_ids=rows.has_ids)


def to_arrow(path: str, rows: Rows) -> None:
    """Write the columns `vector`, lists of one size, and `id`; a record batch a block."""
    _write(path, _ipc(), _columns(rows), has_ids=rows.has_ids)


def packed_to_parquet(path: str, rows: PackedRows) -> None:
    """Write the columns `vector`, of the type of packed vectors, and `id`."""
    _write(path, _parquet(), _packed_columns(rows), has_ids=rows.has_ids)


def packed_to_arrow(path: str, rows: PackedRows) -> None:
    """Write the columns `vector`, of the type of packed vectors, and `id`."""
    _write(path, _ipc(), _packed_columns(rows), has_ids=rows.has_ids)


def _parquet() -> Any:
    """Return what opens a file of Parquet, of a schema, to be written."""
    return require("pyarrow.parquet", needs="Parquet needs", extra="arrow").ParquetWriter


def _ipc() -> Any:
    """Return what opens a file of Arrow, of a schema, to be written."""
    return _pyarrow().ipc.new_file


def _pyarrow() -> Any:
    return require("pyarrow", needs="Arrow files need", extra="arrow")


def _columns(rows: Rows) -> Iterator[_Columns]:
    """Yield blocks of float rows as lists of one size."""
    pyarrow = _pyarrow()
    kind = pyarrow.list_(pyarrow.from_numpy_dtype(rows.dtype), rows.dim)
    for part in rows.parts:
        values = pyarrow.array(np.ascontiguousarray(part.x).reshape(-1))
        yield pyarrow.FixedSizeListArray.from_arrays(values, type=kind), part.ids


def _packed_columns(rows: PackedRows) -> Iterator[_Columns]:
    """Yield blocks of packed rows as a column of their own type."""
    for part in rows.parts:
        yield part.x.to_arrow(), part.ids


def _write(
    path: str,
    opened: Callable[[Any, Any], Any],
    blocks: Iterator[_Columns],
    *,
    has_ids: bool,
) -> None:
    """Write all blocks; the first says of what types columns are."""
    pyarrow = _pyarrow()
    vectors, ids = next(blocks)
    fields = [(_VECTORS, vectors.type), *([(IDS, pyarrow.array(ids).type)] if has_ids else [])]
    schema = pyarrow.schema(fields)
    with whole(path) as file, opened(file, schema) as written:
        for column, some in chain([(vectors, ids)], blocks):
            columns = [column, *([pyarrow.array(some, fields[1][1])] if has_ids else [])]
            written.write_batch(pyarrow.record_batch(columns, schema=schema))
