"""Changes to an index: who makes them, and what becomes of those that fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import cast

from minifloat.index.catalog.catalog import Catalog, Version
from minifloat.index.catalog.connection import Connection, new_name
from minifloat.index.rows import blocks
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import State
from minifloat.index.writing.writer import Writer


def writer_of(state: State) -> Writer:
    """Return the writer of an index, which it becomes by its first change."""
    state.refuse_closed()
    if state.writer is not None:
        writer = cast(Writer, state.writer)
        writer.refuse_left()
        return writer
    if state.pinned:
        raise PermissionError(
            f"version {state.snapshot.version} of {state.where} was opened, which stays as it is: "
            "open it without a version to change it"
        )
    if state.could_not_write:
        # Connections of one process share what SQLite could open to read alone.
        state.close_idle()
    state.could_not_write = True
    writer = _new_writer(state)
    state.could_not_write = False
    return writer


def _new_writer(state: State) -> Writer:
    catalog = Catalog(state.folder)
    try:
        writer = Writer(state.folder, catalog, state.columns)
    except BaseException:
        catalog.close()
        raise
    try:
        with catalog.transaction():
            # SQLite opens what cannot be written now to read it, for as long as it is open: to
            # delete nothing tells.
            catalog.sql.run("DELETE FROM sums WHERE first IS NULL")
            adopt(state, writer)
    except BaseException:
        state.writer = None
        writer.close()
        raise
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
        before, kind = state.snapshot, state.id_kind
        waits = writer.pending, len(writer.pending), len(writer.removed)
        sql, name, is_done = writer.catalog.sql, new_name(), False
        begun = sql.in_transaction
        try:
            if begun:
                with state.lock:
                    sql.run(f"SAVEPOINT {name}")
            yield writer
            is_done = True
            if begun:
                with state.lock:
                    sql.run(f"RELEASE {name}")
        except GeneratorExit:
            # A signal's handler has raised before anything was done, or when all was.
            raise
        except BaseException:
            if begun and not sql.in_transaction:
                undo(state, writer)
            elif not is_done:
                with state.lock:
                    if begun:
                        back(sql, name)
                    elif sql.in_transaction:
                        sql.run("ROLLBACK")
                    state.snapshot, state.id_kind = before, kind
                    writer.settle(before, *waits)
            raise


def back(sql: Connection, name: str) -> None:
    """Undo what came after a savepoint."""
    # What a signal's handler raises may come before there is one.
    with suppress(sqlite3.OperationalError):
        sql.run(f"ROLLBACK TO {name}")
        sql.run(f"RELEASE {name}")


def undo(state: State, writer: Writer) -> None:
    """Be as the last commit was."""
    # Calls may read rows whose place others take then.
    with state.alone():
        if writer.catalog.sql.in_transaction:
            writer.catalog.sql.run("ROLLBACK")
        state.id_kind = writer.catalog.facts().get("ids")
        state.snapshot = writer.base
        writer.begin(writer.committed, writer.base)
