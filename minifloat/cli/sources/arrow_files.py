"""Rows of Parquet, group by group, and of Arrow's files, mapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from minifloat.arrays import as_tensor
from minifloat.cli.errors import InputError, require
from minifloat.cli.sources.source import Block, Source, Wanted, chosen
from minifloat.vectors import PackedVectors

# The schema, the number of rows, and what yields record batches of some columns and a size.
_File = tuple[Any, int, Callable[[list[str], int], Iterator[Any]]]


def from_parquet(wanted: Wanted) -> Source:
    """Return the rows of a column of Parquet; a group's pages are in memory at a time."""
    parquet = _known("pyarrow.parquet", "Parquet needs")
    file = parquet.ParquetFile(wanted.path, memory_map=True)

    def batches(columns: list[str], size: int) -> Iterator[Any]:
        yield from file.iter_batches(batch_size=size, columns=columns)

    return _source(wanted, (file.schema_arrow, file.metadata.num_rows, batches))


def from_arrow(wanted: Wanted) -> Source:
    """Return the rows of a column of an Arrow file (IPC, Feather), mapped."""
    pyarrow = _known("pyarrow", "Arrow files need")
    mapped = pyarrow.memory_map(wanted.path)
    file = pyarrow.ipc.open_file(mapped)
    whole = [file.get_batch(i) for i in range(file.num_record_batches)]

    def batches(columns: list[str], size: int) -> Iterator[Any]:
        for batch in whole:
            picked = batch.select(columns)
            for first in range(0, len(picked), size):
                yield picked.slice(first, size)

    return _source(wanted, (file.schema, sum(map(len, whole)), batches))


def _known(module: str, needs: str) -> Any:
    """Return a module of pyarrow, to which the type of packed vectors is known."""
    found = require(module, needs=needs, extra="arrow")
    require("minifloat.vectors.arrow", needs=needs, extra="arrow")
    return found


def _source(wanted: Wanted, file: _File) -> Source:
    schema, rows, batches = file
    vectors = [field.name for field in schema if _is_vectors(field.type) or _is_packed(field.type)]
    key = chosen(wanted.path, wanted.key, vectors, "columns")
    for name in (wanted.id, *wanted.columns):
        if name is not None and name not in schema.names:
            raise InputError(f"{wanted.path} has columns {', '.join(schema.names)}; got {name!r}")
    name, kind = f"{wanted.path}[{key}]", schema.field(key).type
    packed = _none_of(kind) if _is_packed(kind) else None
    dim = _dim(name, kind, batches, key) if packed is None else packed.dim
    columns = [*dict.fromkeys([key, *wanted.columns, *([wanted.id] if wanted.id else [])])]

    def values(column: Any, first: int) -> Tensor | PackedVectors:
        if packed is not None:
            return PackedVectors.from_arrow(column)
        return as_tensor(_matrix(name, column, dim, first))

    def read(size: int) -> Iterator[Block]:
        first = 0
        for batch in batches(columns, size):
            column = batch.column
            yield Block(
                first,
                values(column(key), first),
                _ids(wanted, column, first) if wanted.id else None,
                {one: column(one).to_pylist() for one in wanted.columns},
            )
            first += len(batch)
        if not rows:
            yield Block(0, torch.empty(0, dim) if packed is None else packed)

    dtype = torch.float32 if packed is not None else as_tensor(_empty(kind)).dtype
    return Source(name=name, rows=rows, dim=dim, dtype=dtype, read=read, packed=packed)


def _is_packed(kind: Any) -> bool:
    """Return whether a type is that of packed vectors."""
    arrow = require("minifloat.vectors.arrow", needs="Arrow files need", extra="arrow")
    return bool(arrow.is_vectors(kind))


def _none_of(kind: Any) -> PackedVectors:
    """Return no rows of a column's kind."""
    pyarrow = require("pyarrow", needs="Arrow files need", extra="arrow")
    return PackedVectors.from_arrow(pyarrow.array([], kind))


def _is_vectors(kind: Any) -> bool:
    """Return whether a type is that of lists of floats."""
    types = require("pyarrow.types", needs="Arrow files need", extra="arrow")
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and types.is_floating(kind.value_type))


def _dim(name: str, kind: Any, batches: Callable[..., Iterator[Any]], key: str) -> int:
    """Return the values of each row: by the type, or by the first row."""
    size = getattr(kind, "list_size", -1)
    if size < 0:
        first = next(chain.from_iterable(batch.column(key) for batch in batches([key], 1)), None)
        size = len(first.as_py() or ()) if first is not None else 0
    if size < 1:
        raise InputError(f"{name} must have a first row of at least one value; it has none")
    return int(size)


def _matrix(name: str, column: Any, dim: int, first: int) -> Any:
    """Return lists of floats as rows; InputError for a row that is null or of another length."""
    types = require("pyarrow.types", needs="Arrow files need", extra="arrow")
    if column.null_count:
        row = first + column.is_null().index(True).as_py()
        raise InputError(f"row {row} of {name} is null; all rows must be vectors")
    if not types.is_fixed_size_list(column.type):
        lengths = column.value_lengths().to_numpy(zero_copy_only=False)
        wrong = (lengths != dim).nonzero()[0]
        if len(wrong):
            raise InputError(
                f"rows of {name} must have one length; got {lengths[wrong[0]]} in row "
                f"{first + wrong[0]} and {dim} in row 0"
            )
    values = column.flatten()
    if values.null_count:
        row = first + values.is_null().index(True).as_py() // dim
        raise InputError(f"row {row} of {name} holds null; all values must be finite")
    return values.to_numpy(zero_copy_only=False).reshape(-1, dim)


def _ids(wanted: Wanted, column: Callable[[str], Any], first: int) -> list[Any]:
    """Return the ids of a column; InputError for a row that has none."""
    assert wanted.id is not None
    found = column(wanted.id)
    if found.null_count:
        row = first + found.is_null().index(True).as_py()
        raise InputError(f"row {row} of {wanted.path}[{wanted.id}] is null; all ids must be there")
    ids: list[Any] = found.to_pylist()
    return ids


def _empty(kind: Any) -> Any:
    """Return an array of no values of a list's type."""
    pyarrow = require("pyarrow", needs="Arrow files need", extra="arrow")
    return pyarrow.array([], kind.value_type).to_numpy(zero_copy_only=False)
