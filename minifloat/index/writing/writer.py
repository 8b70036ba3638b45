"""What a writer has done since the last commit, and what it needs for more."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minifloat.index.catalog.catalog import (
    Catalog,
    Version,
    removals_of,
    sum_of_rows,
)
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.connection import Connection, new_name, within_sqlite
from minifloat.index.catalog.errors import told
from minifloat.index.catalog.ids import INTEGER, Ids
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.writing.holding import Holding
from minifloat.index.writing.pending import MOST, Pending, Seen, hashes, hashes_of_integers

# Rows of one sum in the catalog.
SUMMED = 1 << 16


class Writer:
    """Changes to an index that are not committed yet."""

    def __init__(self, folder: Path | None, catalog: Catalog, columns: Columns) -> None:
        """Take the right to write to a folder, which another may have."""
        self.holding = None if folder is None else Holding(folder)
        self.catalog, self.columns = catalog, columns
        if folder is not None:
            # A connection is part of a circle, and would keep its transaction until that is found.
            weakref.finalize(self, _close, catalog.sql, os.getpid())
        self.pending = Pending(0)
        self.committed: Version
        # What is seen where the changes are undone.
        self.base: Snapshot
        self.removed: list[int] = []
        self.is_left = False
        # Ids that may be there, of so many rows; and the largest there has been, of integers.
        self._seen: Seen | None = None
        self._seen_rows, self._generation = 0, -1
        self._most: int | None = None
        self._statement = f"INSERT INTO rows VALUES (?, ?, ?{', ?' * len(columns.types)})"

    def begin(self, version: Version, snapshot: Snapshot) -> None:
        """Start from a version with no changes, which is seen so."""
        self.committed, self.base, self.removed = version, snapshot, []
        self.pending = Pending(version.next_row)
        if snapshot.generation != self._generation:
            # Rows have moved, and their places tell no longer which were seen.
            self._seen, self._generation = None, snapshot.generation
        # Others take the places of rows that were undone.
        self._seen_rows = min(self._seen_rows, snapshot.count)

    @property
    def next_version(self) -> int:
        """The version that will have the changes."""
        return self.committed.version + 1

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to commit."""
        return bool(len(self.pending)) or self.catalog.sql.in_transaction

    def refuse_left(self) -> None:
        """Raise RuntimeError in a process that was forked from the writer's."""
        if self.is_left:
            raise RuntimeError(
                "this index was open for writing in the process that this one was forked from: "
                "open it here, to read, or commit and close it there before"
            )

    def flush_if_many(self) -> None:
        """Have SQLite know rows where they take much memory meanwhile."""
        if len(self.pending) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Have SQLite know all rows, in the transaction that the commit ends."""
        self.refuse_left()
        if not len(self.pending):
            return
        # What a signal's handler raised may have come after SQLite knew rows that wait still.
        ((known,),) = self.catalog.all("SELECT coalesce(max(row), -1) + 1 FROM rows")
        rows = islice(self.pending.rows(), max(0, known - self.pending.first), None)
        with self._savepoint():
            # Many at a time have one sum, and are no tuples before.
            while some := list(islice(rows, SUMMED)):
                self.catalog.sql.run_many(self._statement, some)
                self.sum_up(some[0][0], some[-1][0] + 1, some)
        self.pending = Pending(self.pending.first + len(self.pending))

    def sum_up(self, first: int, end: int, rows: list[tuple[Any, ...]]) -> None:
        """Keep the sum of all rows, as SQLite has them, whose numbers are from one to another."""
        given = first, end - first, sum_of_rows(rows)
        self.catalog.sql.run("INSERT OR REPLACE INTO sums VALUES (?, ?, ?)", given)

    def sum_anew(self, first: int, end: int) -> None:
        """Keep the sum of rows that have changed."""
        self.sum_up(first, end, self.catalog.rows(self.columns, first, end))

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Do all that is asked of SQLite, or nothing; rows that waited before are there anyway."""
        self.flush()
        with self._savepoint():
            yield

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.change()
        sql = self.catalog.sql
        with told(self.catalog.path):
            name = new_name()
            sql.run(f"SAVEPOINT {name}")
            try:
                yield
            except GeneratorExit:
                # A signal's handler has raised between, and who called has undone it by now.
                raise
            except BaseException:
                # Where a disk is full, SQLite itself has undone all since the last commit.
                if sql.in_transaction:
                    sql.run(f"ROLLBACK TO {name}")
                    sql.run(f"RELEASE {name}")
                raise
            sql.run(f"RELEASE {name}")

    def settle(self, snapshot: Snapshot, pending: Pending, waiting: int, removed: int) -> None:
        """Have so many rows wait and be removed as before a change, when a snapshot was seen."""
        pending.keep(waiting)
        self.pending = pending
        self._seen_rows = min(self._seen_rows, snapshot.count)
        del self.removed[removed:]

    def change(self) -> None:
        """Begin a transaction, if there is none."""
        self.refuse_left()
        if not self.catalog.sql.in_transaction:
            with told(self.catalog.path):
                self.catalog.sql.run("BEGIN IMMEDIATE")

    def present(self, ids: Ids, snapshot: Snapshot) -> list[int]:
        """Return the places of ids that are there; rows of the others are to come."""
        if ids.kind == INTEGER and len(ids) and self._are_beyond(ids, snapshot):
            return []
        if self._seen is None or self._seen.is_full(len(ids)):
            self._seen = Seen(self._known(ids.kind, snapshot), len(ids))
        elif ids.kind == INTEGER:
            # Those that were beyond all others have not been looked at.
            self._seen.add(hashes_of_integers(_ids_in(snapshot, self._seen_rows)))
        self._seen_rows = snapshot.count
        maybe = self._seen.add(hashes(ids))
        statement = "SELECT 1 FROM rows WHERE id = ? AND removed IS NULL"
        return [
            at
            for at in maybe
            if ids.values[at] in self.pending or self.catalog.all(statement, (ids.values[at],))
        ]

    def _are_beyond(self, ids: Ids, snapshot: Snapshot) -> bool:
        """Return whether integers are above all that there have ever been."""
        if self._most is None:
            known = _ids_in(snapshot, 0)
            self._most = int(known.max()) if len(known) else -(2**63) - 1
        beyond = int(ids.integers.min()) > self._most
        self._most = max(self._most, int(ids.integers.max()))
        return beyond

    def rows_of(self, ids: Ids) -> Tensor:
        """Return the numbers of rows that are there, -1 where an id is not."""
        self.flush()
        statement = "SELECT row FROM rows WHERE id = ? AND removed IS NULL"
        with told(self.catalog.path), within_sqlite():
            execute = self.catalog.sql.execute
            found = [execute(statement, (value,)).fetchone() for value in ids.values]
        return torch.tensor([-1 if one is None else one[0] for one in found], dtype=torch.int64)

    def values_of(self, rows: Tensor, column: str) -> list[Any]:
        """Return a column of rows by their numbers."""
        statement = f'SELECT "{column}" FROM rows WHERE row = ?'
        return [self.catalog.all(statement, (row,))[0][0] for row in rows.tolist()]

    def remove(self, rows: list[int]) -> None:
        """Mark rows as removed by the next version."""
        self.flush()
        self.catalog.sql.run_many(
            "UPDATE rows SET removed = ? WHERE row = ?",
            [(self.next_version, row) for row in rows],
        )
        self.removed += rows

    def version(self, snapshot: Snapshot, at: float) -> Version:
        """Return the version that the changes make."""
        more = removals_of(self.removed, self.next_version)
        return Version(
            self.next_version,
            snapshot.next_row,
            snapshot.count,
            snapshot.removed,
            (self.committed.removals + more) % 2**32,
            at,
        )

    def close(self) -> None:
        """Undo what is not committed, and let another write."""
        self.catalog.close()
        if self.holding is not None:
            self.holding.let_go()

    def forked(self) -> None:
        """Be no writer, in a process that was forked from the writer's."""
        self.is_left = True
        if self.holding is not None:
            self.holding.let_go()

    def _known(self, kind: str, snapshot: Snapshot) -> NDArray[Any]:
        """Return the hashes of all ids that are there, and of some that were."""
        if kind == INTEGER:
            return hashes_of_integers(_ids_in(snapshot, 0))
        self.flush()
        found = self.catalog.all("SELECT id FROM rows WHERE id IS NOT NULL")
        return hashes(Ids.of(kind, [id for (id,) in found]))


def _close(sql: Connection, process: int) -> None:
    # To close one of the process that this one was forked from is to meddle with its locks.
    if process == os.getpid():
        sql.close()


def _ids_in(snapshot: Snapshot, first: int) -> NDArray[np.int64]:
    """Return the integer ids of rows from one on."""
    found: NDArray[np.int64] = snapshot.store.fields["ids"][first : snapshot.count].numpy()
    return found
