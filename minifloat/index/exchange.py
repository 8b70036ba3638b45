"""Indexes as tables of Arrow, and as data sets of Lance: ids, vectors and columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.ids import INTEGER, TEXT, as_ids
from minifloat.index.reader import Reader, Rows
from minifloat.vectors import PackedVectors

# The name of ids in tables, which no column has.
ID, VECTOR = "id", "vector"

_DECLARED = b"minifloat.columns"

_AT_ONCE = 1 << 16


class Table(NamedTuple):
    """Rows of a table: ids, packed vectors, and columns as lists, and how these are declared."""

    ids: list[Any]
    vectors: PackedVectors
    columns: dict[str, list[Any]]
    declared: dict[str, str]


def to_arrow(index: Reader) -> Any:
    """Return all rows as a `pyarrow.Table`: id, vector and the columns."""
    from minifloat.vectors.arrow_bytes import pa

    kind, columns = index._state.id_kind or INTEGER, Columns.of(index.columns)
    types = {name: _arrow_types(pa)[type] for name, type in columns.types.items()}
    of_id = {INTEGER: pa.int64(), TEXT: pa.string()}.get(kind, pa.binary(16))
    vector = index._state.snapshot.vectors[:0].to_arrow().type
    schema = pa.schema([(ID, of_id), (VECTOR, vector), *types.items()])
    batches = [_batch(pa, schema, rows) for rows in index.batches(_AT_ONCE)]
    return pa.Table.from_batches(
        batches, schema.with_metadata({_DECLARED: columns.text().encode()})
    )


def of_arrow(table: Any, id: str, vector: str, told: dict[str, Any]) -> Table:
    """Return the rows of a table; ValueError where it lacks ids or vectors.

    told: what the bytes of vectors are, where the table has lost it.
    """
    from minifloat.vectors.arrow_bytes import pa

    if not isinstance(table, pa.Table):
        table = pa.table(table)
    for name in (id, vector):
        if name not in table.column_names:
            raise ValueError(
                f"the table must have columns {id!r} and {vector!r}; it has "
                f"{', '.join(table.column_names)}"
            )
    vectors = PackedVectors.from_arrow(table[vector], **told)
    names = [name for name in table.column_names if name not in (id, vector)]
    declared = _declared(pa, table.schema, names)
    columns = {name: table[name].to_pylist() for name in names}
    return Table(_ids(pa, table[id]), vectors, columns, declared)


def to_lance(index: Reader, uri: str | Path, overwrite: bool, options: Any) -> int:
    """Write all rows into a data set of Lance; return its version."""
    from minifloat.vectors import lance

    table = to_arrow(index)
    vectors = PackedVectors.from_arrow(table[VECTOR])
    columns = {name: table[name] for name in table.column_names if name != VECTOR}
    mode: Any = "overwrite" if overwrite else "create"
    return lance.write(uri, vectors, columns, mode=mode, storage_options=options)


def of_lance(uri: str | Path, version: int | None, options: Any) -> Table:
    """Return the rows of a data set of Lance."""
    from minifloat.vectors import lance
    from minifloat.vectors.arrow_bytes import pa

    vectors, columns = lance.read(uri, version, storage_options=options)
    if ID not in columns:
        raise ValueError(f"{uri} must have a column {ID!r} of ids; it has {', '.join(columns)}")
    ids = columns.pop(ID)
    schema = pa.schema([(name, values.type) for name, values in columns.items()])
    declared = _declared(pa, schema, list(columns))
    values = {name: of_each.to_pylist() for name, of_each in columns.items()}
    return Table(_ids(pa, ids), vectors, values, declared)


def is_lance(path: str | Path) -> bool:
    """Return whether a path is a URI, or a folder that Lance has made."""
    return "://" in str(path) or (Path(path) / "_versions").is_dir()


def _batch(pa: Any, schema: Any, rows: Rows) -> Any:
    ids = rows.ids.tolist()
    if ids and isinstance(ids[0], UUID):
        ids = [id.bytes for id in ids]
    arrays = [pa.array(ids, schema.field(ID).type), rows.vectors.to_arrow()]
    arrays += [pa.array(values, schema.field(name).type) for name, values in rows.columns.items()]
    return pa.record_batch(arrays, schema)


def _ids(pa: Any, column: Any) -> list[Any]:
    """Return ids; 16 bytes each are those of UUIDs."""
    if column.null_count:
        raise ValueError(f"ids must be there for each row; {column.null_count} are null")
    values: list[Any] = column.to_pylist()
    if values and isinstance(values[0], bytes):
        if len(values[0]) != 16:
            raise TypeError(f"ids in bytes must be UUIDs of 16 bytes; got {len(values[0])}")
        values = [UUID(bytes=value) for value in values]
    as_ids(values)
    return values


def _declared(pa: Any, schema: Any, names: list[str]) -> dict[str, str]:
    """Return how columns are declared: as an index did, or by their types of Arrow."""
    said = json.loads((schema.metadata or {}).get(_DECLARED, b"{}"))
    types = {type: name for name, type in reversed(_arrow_types(pa).items())}
    found = {}
    for name in names:
        given = schema.field(name).type
        if pa.types.is_large_string(given) or str(given) == "string_view":
            given = pa.string()
        elif pa.types.is_integer(given):
            given = pa.int64()
        elif pa.types.is_floating(given):
            given = pa.float64()
        if given not in types:
            raise TypeError(f"an index has no columns of type {given}, which {name!r} has")
        found[name] = said.get(name, types[given])
    return found


def _arrow_types(pa: Any) -> dict[str, Any]:
    return {
        "integer": pa.int64(),
        "real": pa.float64(),
        "text": pa.string(),
        "blob": pa.binary(),
        "boolean": pa.bool_(),
    }
