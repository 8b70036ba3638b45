"""Packed vectors in data sets of Lance, beside other columns: on a disk or in an object store.

A data set has a column `vectors`, as `PackedVectors.to_arrow` makes it, and columns of one's own.
Each `write` makes a version of it; older ones stay until `remove_versions` takes them away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from minifloat.threads import in_threads
from minifloat.vectors import arrow
from minifloat.vectors.arrow_bytes import pa
from minifloat.vectors.lance_datasets import (
    COLUMN,
    Options,
    opened,
    pylance,
    refuse_unlike,
    type_in,
)
from minifloat.vectors.packed import PackedVectors
from minifloat.vectors.row_facts import RowFacts, fields_of

Mode = Literal["create", "append", "overwrite"]

# The newest that all versions read which were tried; pylance 2 ends in a panic over the next.
_STORAGE_VERSION = "2.1"

# Bytes of rows that are written at once, decoded at once, and scanned by one thread.
_WRITTEN = 1 << 26
_DECODED = 1 << 22
_SCANNED = (1 << 24, 1 << 26)


def write(
    uri: str | Path,
    vectors: PackedVectors,
    columns: Mapping[str, Sequence[Any]] | None = None,
    *,
    mode: Mode = "create",
    storage_options: Options = None,
) -> int:
    """Return the version of the data set at a URI, or path, that now holds rows and columns.

    columns: what belongs to the rows, by name: arrays of Arrow or NumPy, tensors or lists, with a
    value for each. mode: "create" makes a data set, "append" adds to one of such rows and columns,
    "overwrite" makes a version without the rows before. storage_options: what pylance hands to the
    object store, such as `region`.

    Raises FileExistsError where "create" finds a data set, FileNotFoundError where "append" finds
    none, and ValueError for rows or columns that do not fit.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode must be one of {', '.join(get_args(Mode))}; got {mode!r}")
    others = _table(columns or {}, len(vectors))
    type = arrow.type_of(RowFacts.of(vectors._stored), "list")
    schema = pa.schema([pa.field(COLUMN, type), *others.schema])
    how: dict[str, Any] = {"data_storage_version": _STORAGE_VERSION}
    if mode == "append":
        there = opened(uri, None, storage_options)
        refuse_unlike(there, uri, schema)
        schema, how = there.schema, {}
        others = _converted(others, schema)
    if storage_options is not None:
        how["storage_options"] = dict(storage_options)
    raised: list[Exception] = []
    batches = _batches(vectors, others, schema, raised)
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    try:
        return int(pylance().write_dataset(reader, str(uri), mode=mode, **how).version)
    except OSError as error:
        if raised:
            raise raised[0] from None
        if "already exists" not in str(error):
            raise
        raise FileExistsError(
            f"{uri} holds a Lance data set: mode='append' adds rows to it, and mode='overwrite' "
            "makes a version of it without the rows before"
        ) from error


def read(
    uri: str | Path, version: int | str | None = None, *, storage_options: Options = None
) -> tuple[PackedVectors, dict[str, Any]]:
    """Return the rows of a data set and its other columns, `pyarrow.ChunkedArray` by name.

    version: one that `write` returned, or a tag; what is not said is the newest.

    Raises FileNotFoundError where there is no data set, and ValueError for one of another kind, for
    a version that is not there, and for the first row that cannot be.
    """
    dataset = opened(uri, version, storage_options)
    facts = arrow.facts_of(type_in(dataset, uri))
    names = [name for name in dataset.schema.names if name != COLUMN]
    try:
        rows = dataset.count_rows()
        fields = facts.empty(rows)
        scan(dataset, facts, fields, 0, rows)
        others = dataset.to_table(columns=names) if names else {}
    except (RuntimeError, pa.ArrowInvalid) as error:
        raise OSError(
            f"{uri} cannot be read by pylance {pylance().__version__}: {error}; where a newer one "
            "has written it: pip install --upgrade 'minifloat[lance]'"
        ) from error
    found = PackedVectors(**fields_of(facts.rows(fields)))
    return found, {name: others[name] for name in names}


def remove_versions(
    uri: str | Path, *, older_than: timedelta, storage_options: Options = None
) -> int:
    """Return how many bytes are gone with versions that were older, all but newest and tagged ones.

    Who reads one of them meanwhile gets an error.
    """
    dataset = opened(uri, None, storage_options)
    type_in(dataset, uri)
    done = dataset.cleanup_old_versions(older_than, error_if_tagged_old_versions=False)
    return int(done.bytes_removed)


def _table(columns: Mapping[str, Any], rows: int) -> Any:
    """Return a table of columns; ValueError for one that has not a value for each row."""
    arrays = {}
    for name, values in columns.items():
        if name == COLUMN:
            raise ValueError(f"columns must have other names than {COLUMN!r}, which is the rows'")
        if isinstance(values, Tensor):
            values = values.numpy(force=True)
        if not isinstance(values, (pa.Array, pa.ChunkedArray)):
            values = pa.array(values)
        if len(values) != rows:
            raise ValueError(f"column {name!r} must have {rows} values, as rows; got {len(values)}")
        arrays[name] = values
    return pa.table(arrays)


def _converted(others: Any, schema: Any) -> Any:
    """Return columns as a schema has them; ValueError for one that cannot be so."""
    arrays = {}
    for name in others.column_names:
        type = schema.field(name).type
        try:
            arrays[name] = others[name].cast(type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(f"column {name!r} must be {type}, as that there: {error}") from error
    return pa.table(arrays)


def _batches(
    vectors: PackedVectors, others: Any, schema: Any, raised: list[Exception]
) -> Iterator[Any]:
    """Yield rows and columns piece by piece, and keep an error, of which pylance makes another."""
    type = schema.field(COLUMN).type
    is_binary = pa.types.is_fixed_size_binary(type.storage_type)
    facts = arrow.facts_of(type)
    step = max(1, _WRITTEN // facts.row_bytes)
    for first in range(0, len(vectors), step):
        try:
            rows = vectors[first : first + step].to_arrow(storage="binary" if is_binary else "list")
        except Exception as error:
            raised.append(error)
            raise
        some = others.slice(first, step)
        parts = [rows if name == COLUMN else some[name] for name in schema.names]
        yield from pa.table(parts, schema=schema).to_batches()


def scan(
    dataset: Any,
    facts: RowFacts,
    fields: dict[str, Tensor],
    begin: int,
    end: int,
    to: int | None = None,
) -> None:
    """Put rows from one to another into fields, from a place on, or where the data set has them.

    Each range of rows is read and taken apart by one thread.
    """
    width, moved = facts.row_bytes, 0 if to is None else to - begin
    least, most = _SCANNED
    share = -(-(end - begin) // torch.get_num_threads()) * width
    step, batch = (max(1, size // width) for size in (min(max(share, least), most), _DECODED))

    def scan_some(first: int) -> None:
        last = min(first + step, end)
        scanner = dataset.scanner(
            columns=[COLUMN], offset=first, limit=last - first, batch_size=batch
        )
        for some in scanner.to_batches():
            arrow.take_apart(some.column(0).storage, facts, fields, first + moved)
            first += len(some)
        if first != last:
            raise RuntimeError(f"rows {first} to {last} of {end} are not there")

    in_threads(scan_some, range(begin, end, step))
