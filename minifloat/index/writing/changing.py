"""Rows are added, replaced and removed: all of a change, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from minifloat.arrays import as_rows
from minifloat.index.catalog.catalog import Catalog, Version
from minifloat.index.catalog.ids import INTEGER, Ids, as_ids, shown
from minifloat.index.naming import refuse_absent, refuse_present
from minifloat.index.reading.filters import Filter, Where
from minifloat.index.rows import blocks
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import State
from minifloat.index.writing.writer import Writer
from minifloat.vectors import PackedVectors


def writer_of(state: State) -> Writer:
    """Return the writer of an index, which it becomes by its first change."""
    state.refuse_closed()
    if state.writer is not None:
        state.writer.refuse_left()
        return state.writer
    if state.pinned:
        raise PermissionError(
            f"version {state.snapshot.version} of {state.where} was opened, which stays as it is: "
            "open it without a version to change it"
        )
    catalog = Catalog(state.folder)
    try:
        writer = Writer(state.folder, catalog, state.columns)
    except BaseException:
        catalog.close()
        raise
    adopt(state, writer)
    return writer


def adopt(state: State, writer: Writer) -> None:
    """Have an index be written to, from its newest version on."""
    with state.lock:
        if state.folder is not None:
            names = [name for (name,) in writer.catalog.all("SELECT name FROM blocks")]
            blocks.sweep(state.folder, names)
        version = writer.catalog.version()
        assert version is not None
        state.see(writer.catalog, version)
        start(state, writer, version, state.snapshot)
        state.writer = writer


def start(state: State, writer: Writer, version: Version, snapshot: Snapshot) -> None:
    """See a version that was just committed, and no changes to it."""
    number = version.version
    state.snapshot = replace(snapshot, version=number, sees=number + 1)
    writer.begin(version, state.snapshot)


@contextmanager
def changes(state: State) -> Iterator[Writer]:
    """Yield the writer; where what is done then fails, nothing has changed."""
    with state.changing:
        writer = writer_of(state)
        before, kind, removed = state.snapshot, state.id_kind, len(writer.removed)
        begun = writer.catalog.sql.in_transaction
        try:
            yield writer
        except BaseException:
            if begun and not writer.catalog.sql.in_transaction:
                undo(state, writer)
            else:
                with state.lock:
                    state.snapshot, state.id_kind = before, kind
                    writer.settle(before, removed)
            raise


def undo(state: State, writer: Writer) -> None:
    """Be as the last commit was."""
    # Calls may read rows whose place others take then.
    with state.alone():
        if writer.catalog.sql.in_transaction:
            writer.catalog.sql.run("ROLLBACK")
        state.id_kind = writer.catalog.facts().get("ids")
        state.snapshot = writer.base
        writer.begin(writer.committed, writer.base)


def add(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Add rows; ValueError for ids that are there."""
    with changes(state) as writer:
        ids, vectors, values = _checked(state, given, x, columns)
        ids.refuse_twice()
        with state.lock:
            refuse_present(ids, writer.present(ids, state.snapshot))
            _append(state, writer, ids, vectors, values)


def upsert(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Add rows, in the place of those whose ids they have."""
    with changes(state) as writer:
        ids, vectors, values = _checked(state, given, x, columns)
        ids.refuse_twice()
        with state.lock, writer.whole():
            places = writer.present(ids, state.snapshot)
            there = Ids.of(ids.kind, [ids.values[at] for at in places])
            _remove(state, writer, writer.rows_of(there))
            _append(state, writer, ids, vectors, values)


def update(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Give rows other vectors or columns; KeyError for an id that is not there."""
    with changes(state) as writer:
        ids = as_ids(given, state.id_kind)
        ids.refuse_twice()
        values = state.columns.checked(columns, len(ids))
        vectors = None if x is None else _packed(state, ids, x)
        with state.lock, writer.whole():
            rows = writer.rows_of(ids)
            refuse_absent(ids, rows)
            if vectors is None:
                store, count = state.snapshot.store, state.snapshot.count
                vectors = state.snapshot.vectors[store.positions(rows, count)]
            for at, name in enumerate(state.columns.types):
                if name not in columns:
                    values[at] = writer.values_of(rows, name)
            _remove(state, writer, rows)
            _append(state, writer, ids, vectors, values)


def remove(state: State, given: Any, where: Where | None, missing: str) -> int:
    """Remove rows by their ids or by a condition; return how many there were."""
    if (given is None) == (where is None):
        raise TypeError("remove takes ids, or where=; clear() removes all rows")
    if missing not in ("error", "ignore"):
        raise ValueError(f"missing must be error or ignore; got {missing!r}")
    with changes(state) as writer, state.lock:
        if where is None:
            ids = as_ids(given, state.id_kind)
            rows = writer.rows_of(ids)
            if missing == "error":
                refuse_absent(ids, rows)
            rows = rows[rows >= 0].unique()
        else:
            writer.flush()
            filter = where if isinstance(where, Filter) else Filter(where)
            chosen = filter.chosen(state.snapshot, writer.catalog, state.columns)
            rows = state.snapshot.store.fields["rows"][: state.snapshot.count][chosen.positions]
        if len(rows):
            with writer.whole():
                _remove(state, writer, rows)
        return len(rows)


def clear(state: State) -> int:
    """Remove all rows; return how many there were."""
    with changes(state) as writer, state.lock:
        writer.flush()
        snapshot = state.snapshot
        rows = snapshot.store.fields["rows"][: snapshot.count][snapshot.positions()]
        with writer.whole():
            _remove(state, writer, rows)
        return len(rows)


def append_all(state: State, parts: Iterable[tuple[Any, PackedVectors, Mapping[str, Any]]]) -> int:
    """Add rows part by part, all or none; return how many."""
    count = 0
    with changes(state) as writer, state.lock, writer.whole():
        for given, vectors, columns in parts:
            ids, packed, values = _checked(state, given, vectors, columns)
            refuse_present(ids, writer.present(ids, state.snapshot))
            _append(state, writer, ids, packed, values)
            count += len(ids)
    return count


def _checked(
    state: State, given: Any, x: Any, columns: Mapping[str, Any]
) -> tuple[Ids, PackedVectors, list[list[Any]]]:
    ids = as_ids(given, state.id_kind)
    values = state.columns.checked(columns, len(ids))
    return ids, _packed(state, ids, x), values


def _packed(state: State, ids: Ids, x: Any) -> PackedVectors:
    """Return rows as the index keeps them; ValueError names the id of one that is not finite."""
    x = x if isinstance(x, PackedVectors) else as_rows("x", x).detach()
    if len(x) != len(ids):
        raise ValueError(f"there must be a row for each of {len(ids)} ids; got {len(x)} rows")
    try:
        return state.kind.packed(x)
    except ValueError as error:
        if not isinstance(x, PackedVectors) and x.ndim == 2:
            wrong = (~x.isfinite().all(1)).nonzero()
            if len(wrong):
                id = shown(ids.kind, ids.values[int(wrong[0])])
                raise ValueError(
                    f"the vector of id {id} holds NaN or infinity; all values must be finite"
                ) from error
        raise


def _append(
    state: State, writer: Writer, ids: Ids, vectors: PackedVectors, values: list[list[Any]]
) -> None:
    """Put rows behind those that are there."""
    if not len(ids):
        return
    if state.id_kind is None:
        writer.change()
        writer.catalog.write_facts({"ids": ids.kind})
        state.id_kind = ids.kind
    snapshot = state.snapshot
    fields = {name: getattr(vectors, name) for name in state.kind.fields()}
    fields["rows"] = torch.arange(snapshot.next_row, snapshot.next_row + len(ids))
    if ids.kind == INTEGER:
        fields["ids"] = ids.tensor()
    store = snapshot.store.append(fields, snapshot.count)
    writer.pending.add(ids.values, values)
    state.snapshot = snapshot.with_rows(store, snapshot.next_row + len(ids))
    writer.flush_if_many()


def _remove(state: State, writer: Writer, rows: Tensor) -> None:
    """Take rows away, by their numbers."""
    writer.remove(rows.tolist())
    snapshot = state.snapshot
    state.snapshot = snapshot.without(snapshot.store.positions(rows, snapshot.count))
