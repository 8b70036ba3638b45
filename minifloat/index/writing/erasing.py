"""Rows that are erased: no file keeps a byte of their codes or ids."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat.index.catalog.catalog import Catalog, removals_of
from minifloat.index.catalog.ids import as_ids
from minifloat.index.naming import refuse_absent
from minifloat.index.rows import blocks
from minifloat.index.state import State, numbers
from minifloat.index.writing.committing import (
    Fields,
    Removed,
    Written,
    commit_only,
    erase_freed,
    kept_of,
    move,
    written,
)
from minifloat.index.writing.transactions import writer_of
from minifloat.index.writing.writer import Writer

_MARKED = "id = NULL, removed = coalesce(removed, ?)"


def purge(state: State, given: object) -> int:
    """Erase rows, whether they are there or were removed; return how many rows had the ids."""
    with state.changing:
        writer = writer_of(state)
        ids = as_ids(given, state.id_kind)
        commit_only(state, writer)
        with state.lock:
            found = [_all_rows(writer.catalog, id) for id in ids.values]
        refuse_absent(ids, torch.tensor([len(rows) - 1 for rows in found]))
        rows = torch.cat([torch.empty(0, dtype=torch.int64), *found]).unique()
        if len(rows):
            _erase(state, writer, rows)
            with state.lock:
                erase_freed(state, writer)
        return len(rows)


def _all_rows(catalog: Catalog, id: object) -> Tensor:
    """Return the numbers of all rows that have or had an id."""
    live = catalog.all("SELECT row FROM rows WHERE id = ? AND removed IS NULL", (id,))
    gone = catalog.all("SELECT row FROM rows WHERE removed > 0 AND id = ?", (id,))
    return numbers([*live, *gone])


def _erase(state: State, writer: Writer, rows: Tensor) -> None:
    snapshot = state.snapshot
    positions = snapshot.store.positions(rows, snapshot.count)
    positions = positions[positions >= 0]

    def fields(first: int, end: int) -> dict[str, Tensor]:
        some = kept_of(state, snapshot.store.some(slice(first, end)))
        here = positions[(positions >= first) & (positions < end)] - first
        for name, of_each in some.items():
            if name != "rows":
                of_each[here] = 0
        return some

    names = "".join(f', "{name}" = NULL' for name in state.columns.types)

    def change(writer: Writer) -> Removed:
        catalog, number = writer.catalog, writer.next_version
        live = [
            row
            for row in rows.tolist()
            if catalog.all("SELECT 1 FROM rows WHERE row = ? AND removed IS NULL", (row,))
        ]
        catalog.sql.run_many(
            f"UPDATE rows SET {_MARKED}{names} WHERE row = ?",
            [(number, row) for row in rows.tolist()],
        )
        for first, count in catalog.all("SELECT first, count FROM sums"):
            if bool(((rows >= first) & (rows < first + count)).any()):
                writer.sum_anew(first, first + count)
        removals = (writer.committed.removals + removals_of(live, number)) % 2**32
        return writer.committed.removed + len(live), removals

    move(state, writer, _rewritten(state, writer, positions, fields), change)


def _rewritten(state: State, writer: Writer, positions: Tensor, fields: Fields) -> Written:
    """Return where all rows are; files that hold some at positions are written anew."""
    count = state.snapshot.count
    if state.folder is None:
        return written(state, count, fields)
    files, sealed = [], 0
    with state.lock:
        known = writer.catalog.all("SELECT first, count, name FROM blocks ORDER BY first")
    for first, rows, name in known:
        sealed = first + rows
        if bool(((positions >= first) & (positions < sealed)).any()):
            name = blocks.write_file(state.folder, state.kind, fields(first, sealed))
        files.append((first, rows, name))
    parts = [blocks.as_part(state.kind, sealed, fields(sealed, count))] if sealed < count else []
    return Written(count, files, parts, None)
