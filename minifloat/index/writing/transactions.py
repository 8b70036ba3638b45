"""Changes to an index: who makes them, and what becomes of those that fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from minifloat.index.catalog.catalog import Catalog, Version
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
