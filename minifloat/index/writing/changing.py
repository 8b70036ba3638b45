"""Rows are added, replaced and removed: all of a change, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from minifloat.arrays import as_rows
from minifloat.index.catalog.ids import INTEGER, Ids, as_ids, shown
from minifloat.index.naming import refuse_absent, refuse_present
from minifloat.index.reading.filters import Filter, Where
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import State
from minifloat.index.writing.transactions import changes
from minifloat.index.writing.writer import Writer
from minifloat.vectors import PackedVectors

# Rows that are added at once: of more, memory would hold all again.
_AT_ONCE = 1 << 16


def add(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Add rows; ValueError for ids that are there."""
    with changes(state) as writer:
        ids, rows, values = _checked(state, given, x, columns)
        ids.refuse_twice()
        if len(ids) <= _AT_ONCE:
            vectors = _packed(state, ids, rows)
            with state.lock:
                refuse_present(ids, writer.present(ids, state.snapshot))
                state.snapshot = _with(state, writer, state.snapshot, ids, vectors, values)
            return
        with state.lock, writer.whole():
            snapshot = state.snapshot
            refuse_present(ids, writer.present(ids, snapshot))
            for first in range(0, len(ids), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                few = ids.some(some)
                vectors = _packed(state, few, rows[some])
                of_few = [of_one[some] for of_one in values]
                snapshot = _with(state, writer, snapshot, few, vectors, of_few)
                writer.flush()
            state.snapshot = snapshot


def upsert(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Add rows, in the place of those whose ids they have."""
    with changes(state) as writer:
        ids, rows, values = _checked(state, given, x, columns)
        ids.refuse_twice()
        vectors = _packed(state, ids, rows)
        with state.lock, writer.whole():
            places = writer.present(ids, state.snapshot)
            there = Ids.of(ids.kind, [ids.values[at] for at in places])
            snapshot = _without(writer, state.snapshot, writer.rows_of(there))
            state.snapshot = _with(state, writer, snapshot, ids, vectors, values)


def update(state: State, given: Any, x: Any, columns: Mapping[str, Any]) -> None:
    """Give rows other vectors or columns; KeyError for an id that is not there."""
    with changes(state) as writer:
        ids = as_ids(given, state.id_kind)
        ids.refuse_twice()
        values = state.columns.checked(columns, len(ids))
        vectors = None if x is None else _packed(state, *_checked(state, given, x, {})[:2])
        with state.lock, writer.whole():
            rows = writer.rows_of(ids)
            refuse_absent(ids, rows)
            if vectors is None:
                store, count = state.snapshot.store, state.snapshot.count
                vectors = state.snapshot.vectors[store.positions(rows, count)]
            for at, name in enumerate(state.columns.types):
                if name not in columns:
                    values[at] = writer.values_of(rows, name)
            snapshot = _without(writer, state.snapshot, rows)
            state.snapshot = _with(state, writer, snapshot, ids, vectors, values)


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
                state.snapshot = _without(writer, state.snapshot, rows)
        return len(rows)


def clear(state: State) -> int:
    """Remove all rows; return how many there were."""
    with changes(state) as writer, state.lock:
        writer.flush()
        snapshot = state.snapshot
        rows = snapshot.store.fields["rows"][: snapshot.count][snapshot.positions()]
        with writer.whole():
            state.snapshot = _without(writer, snapshot, rows)
        return len(rows)


def append_all(state: State, parts: Iterable[tuple[Any, PackedVectors, Mapping[str, Any]]]) -> int:
    """Add rows part by part, all or none; return how many."""
    count = 0
    with changes(state) as writer, state.lock, writer.whole():
        snapshot = state.snapshot
        for given, vectors, columns in parts:
            ids, rows, values = _checked(state, given, vectors, columns)
            refuse_present(ids, writer.present(ids, snapshot))
            vectors = _packed(state, ids, rows)
            snapshot = _with(state, writer, snapshot, ids, vectors, values)
            count += len(ids)
        state.snapshot = snapshot
    return count


def _checked(
    state: State, given: Any, x: Any, columns: Mapping[str, Any]
) -> tuple[Ids, Tensor | PackedVectors, list[list[Any]]]:
    """Return ids, as many rows, float or packed, and the values of columns."""
    ids = as_ids(given, state.id_kind)
    values = state.columns.checked(columns, len(ids))
    rows = x if isinstance(x, PackedVectors) else as_rows("x", x).detach()
    if len(rows) != len(ids):
        raise ValueError(f"there must be a row for each of {len(ids)} ids; got {len(rows)} rows")
    return ids, rows, values


def _packed(state: State, ids: Ids, x: Tensor | PackedVectors) -> PackedVectors:
    """Return rows as the index keeps them; ValueError names the id of one that is not finite."""
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


def _with(
    state: State,
    writer: Writer,
    snapshot: Snapshot,
    ids: Ids,
    vectors: PackedVectors,
    values: list[list[Any]],
) -> Snapshot:
    """Put rows behind those of a snapshot; return what is to be seen once a change is whole."""
    if not len(ids):
        return snapshot
    if state.id_kind is None:
        writer.change()
        writer.catalog.write_facts({"ids": ids.kind})
        state.id_kind = ids.kind
    fields = {name: getattr(vectors, name) for name in state.kind.fields()}
    fields["rows"] = torch.arange(snapshot.next_row, snapshot.next_row + len(ids))
    if ids.kind == INTEGER:
        fields["ids"] = ids.tensor()
    store = snapshot.store.append(fields, snapshot.count)
    writer.pending.add(ids.values, values)
    writer.flush_if_many()
    return snapshot.with_rows(store, snapshot.next_row + len(ids))


def _without(writer: Writer, snapshot: Snapshot, rows: Tensor) -> Snapshot:
    """Take rows away, by their numbers; return what is to be seen once a change is whole."""
    writer.remove(rows.tolist())
    return snapshot.without(snapshot.store.positions(rows, snapshot.count))
