"""Changes become a version on the disk, all of them or none; rows of many versions become one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from torch import Tensor

from minifloat.index.catalog.catalog import Version
from minifloat.index.catalog.connection import new_name
from minifloat.index.catalog.errors import told
from minifloat.index.catalog.ids import INTEGER
from minifloat.index.rows import blocks
from minifloat.index.rows.store import Store
from minifloat.index.state import State
from minifloat.index.writing.transactions import back, start, undo, writer_of
from minifloat.index.writing.writer import SUMMED, Writer

# Rows are moved together where more than this share of many was removed, or files are so many more
# than they need be.
_REMOVED, FILES = 0.5, 32

# What gives what is kept of rows from a position to another.
Fields: TypeAlias = Callable[[int, int], dict[str, Tensor]]

# How many rows are removed, and the sum of these.
Removed: TypeAlias = tuple[int, int]


def commit(state: State) -> int:
    """Keep all changes; return the version that has them."""
    state.refuse_closed()
    if state.writer is None:
        return state.snapshot.version
    with state.changing:
        writer = writer_of(state)
        if not writer.has_changes:
            return state.snapshot.version
        _commit(state, writer)
        with state.lock:
            is_scattered = _is_scattered(state, writer)
        if is_scattered:
            compact(state, erase=False)
        return state.snapshot.version


def rollback(state: State) -> None:
    """Undo all changes since the last commit."""
    state.refuse_closed()
    with state.changing:
        if state.writer is not None:
            undo(state, writer_of(state))


def compact(state: State, *, erase: bool) -> None:
    """Move rows together, so that nothing is kept of those that were removed."""
    with state.changing:
        writer = writer_of(state)
        commit_only(state, writer)
        before = state.snapshot
        positions = before.positions()

        def fields(first: int, end: int) -> dict[str, Tensor]:
            return kept_of(state, before.store.some(positions[first:end]))

        move(state, writer, written(state, len(positions), fields), _forget_removed)
        if erase:
            with state.lock:
                erase_freed(state, writer)


def commit_only(state: State, writer: Writer) -> None:
    """Commit what there is."""
    if writer.has_changes:
        _commit(state, writer)


class Written(NamedTuple):
    """Rows in their new places: files and parts as the catalog keeps them, or a store in memory."""

    positions: int
    files: list[tuple[int, int, str]]
    parts: list[tuple[int, int, bytes, int]]
    store: Store | None


def written(state: State, count: int, fields: Fields) -> Written:
    """Write so many rows from the first place on; return where they are."""
    if state.folder is not None:
        return Written(count, *blocks.spread(state.folder, state.kind, 0, count, fields), None)
    store = Store(state.kind, count)
    for first in range(0, count, blocks.MOST):
        store = store.append(fields(first, min(count, first + blocks.MOST)))
    return Written(count, [], [], store)


def move(state: State, writer: Writer, to: Written, change: Callable[[Writer], Removed]) -> None:
    """Have the next version's rows be where they were written.

    change: what becomes of the catalog's rows, which returns how many are removed and their sum.
    """
    catalog, sql = writer.catalog, writer.catalog.sql

    def see(version: Version) -> None:
        state.see(catalog, version, to.store)
        start(state, writer, version, state.snapshot)

    with state.alone():
        old = [name for (name,) in catalog.all("SELECT name FROM blocks")]
        number, generation = writer.next_version, state.snapshot.generation + 1
        try:
            with told(catalog.path):
                sql.run("BEGIN IMMEDIATE")
                removed, removals = change(writer)
                sql.run("DELETE FROM blocks")
                sql.run("DELETE FROM parts")
                sql.run_many("INSERT INTO blocks VALUES (?, ?, ?)", to.files)
                sql.run_many("INSERT INTO parts VALUES (?, ?, ?, ?)", to.parts)
                next_row = writer.committed.next_row
                version = Version(number, next_row, to.positions, removed, removals, time.time())
                sql.run("DELETE FROM versions")
                catalog.write_version(version)
                catalog.write_facts({"generation": generation, "oldest": number})
                sql.run("COMMIT")
        except BaseException:
            if sql.in_transaction:
                sql.run("ROLLBACK")
            newest = catalog.version()
            # What a signal's handler raises may come after the commit.
            if newest is not None and newest.version == number:
                see(newest)
            elif state.folder is not None:
                blocks.sweep(state.folder, old)
            raise
        try:
            see(version)
        except BaseException:
            see(version)
            raise
    if state.folder is not None:
        blocks.sweep(state.folder, [name for _, _, name in to.files])


def erase_freed(state: State, writer: Writer) -> None:
    """Have no byte be left of what the catalog forgot; TimeoutError where readers keep it."""
    if state.folder is None:
        return
    # Pages have been seen to keep copies of what was moved within them, though SQLite writes zeros
    # where rows were. Pages that are written anew have none.
    writer.catalog.all("VACUUM")
    if not writer.catalog.truncate_log():
        raise TimeoutError(
            f"{state.where}: what was removed is erased, but readers keep the log in which it "
            "also is: have them end their calls, and then compact(erase=True)"
        )


def _forget_removed(writer: Writer) -> Removed:
    """Have the catalog forget rows that were removed."""
    writer.catalog.sql.run("DELETE FROM rows WHERE removed IS NOT NULL")
    writer.catalog.sql.run("DELETE FROM sums")
    for first in range(0, writer.committed.next_row, SUMMED):
        end = min(first + SUMMED, writer.committed.next_row)
        if writer.catalog.all(
            "SELECT 1 FROM rows WHERE row >= ? AND row < ? LIMIT 1", (first, end)
        ):
            writer.sum_anew(first, end)
    return 0, 0


def _commit(state: State, writer: Writer) -> None:
    begun, number = writer.catalog.sql.in_transaction, writer.next_version
    name = new_name()
    try:
        _commit_once(state, writer, name)
    except BaseException:
        if writer.catalog.sql.in_transaction:
            # All changes are still there, and nothing of the commit.
            with state.lock:
                back(writer.catalog.sql, name)
        else:
            version = writer.catalog.version()
            if version is not None and version.version == number:
                # What a signal's handler raises may come after the commit.
                start(state, writer, version, state.snapshot)
            elif begun or not len(writer.pending):
                undo(state, writer)
        raise


def _commit_once(state: State, writer: Writer, name: str) -> None:
    with state.lock:
        writer.flush()
        writer.change()
        snapshot = state.snapshot
        since = _since(state, writer, snapshot.count)
    catalog, sql = writer.catalog, writer.catalog.sql

    def fields(first: int, end: int) -> dict[str, Tensor]:
        of_each = snapshot.store.fields
        return kept_of(state, {name: some[first:end] for name, some in of_each.items()})

    left = snapshot.count - since
    files, parts = blocks.spread(state.folder, state.kind, since, left, fields)
    version = writer.version(snapshot, time.time())
    with state.lock:
        with told(catalog.path):
            sql.run(f"SAVEPOINT {name}")
            sql.run("DELETE FROM parts WHERE first >= ?", (since,))
            sql.run_many("INSERT INTO blocks VALUES (?, ?, ?)", files)
            sql.run_many("INSERT INTO parts VALUES (?, ?, ?, ?)", parts)
            catalog.write_version(version)
            sql.run("COMMIT")
        start(state, writer, version, state.snapshot)


def _since(state: State, writer: Writer, count: int) -> int:
    """Return from which position on rows are written, so that so many are."""
    if state.folder is None:
        return count
    catalog = writer.catalog
    (sealed,) = catalog.all("SELECT coalesce(max(first + count), 0) FROM blocks")[0]
    if count - sealed >= blocks.SEALED:
        return int(sealed)
    since = writer.committed.positions
    # Each row is written again no more often than numbers double.
    for first, rows in catalog.all("SELECT first, count FROM parts ORDER BY first DESC"):
        if rows > count - since:
            break
        since = first
    return since


def kept_of(state: State, fields: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what files keep of rows: texts are in the catalog alone."""
    if state.id_kind != INTEGER:
        fields.pop("ids", None)
    return fields


def _is_scattered(state: State, writer: Writer) -> bool:
    snapshot = state.snapshot
    if snapshot.removed > max(blocks.SEALED, _REMOVED * snapshot.count):
        return True
    files = int(writer.catalog.all("SELECT count(*) FROM blocks")[0][0])
    return files > FILES + snapshot.count // blocks.MOST
