"""The catalog of an index, in SQLite: names, columns, versions, and where rows are."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.connection import Connection, within_sqlite
from minifloat.index.catalog.errors import WAITS, DamagedError, as_written, told

FILE = "index.sqlite"

# "mfix" in ASCII, and what is in files of this kind.
_APPLICATION, _FORMAT = 0x6D666978, 1

# KiB of pages that are kept.
_CACHE = 8_192

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE versions (version INTEGER PRIMARY KEY, next_row INTEGER, positions INTEGER,
    removed INTEGER, removals INTEGER, at REAL, sum INTEGER);
CREATE TABLE rows (row INTEGER PRIMARY KEY, id, removed INTEGER{columns});
CREATE UNIQUE INDEX ids ON rows (id) WHERE removed IS NULL;
CREATE INDEX removed ON rows (removed) WHERE removed IS NOT NULL;
CREATE TABLE sums (first INTEGER PRIMARY KEY, count INTEGER, sum INTEGER);
CREATE TABLE blocks (first INTEGER PRIMARY KEY, count INTEGER, name TEXT);
CREATE TABLE parts (first INTEGER PRIMARY KEY, count INTEGER, data BLOB, sum INTEGER);
"""


class Version(NamedTuple):
    """A committed state: the next row's number, how many positions there are, and removals.

    removed: how many positions are of rows that were removed. removals: a sum over these. at:
    seconds since 1970.
    """

    version: int
    next_row: int
    positions: int
    removed: int
    removals: int
    at: float


def checksum(*what: Any) -> int:
    """Return a sum of numbers, texts and bytes."""
    return zlib.crc32(repr(what).encode())


def sum_of_rows(rows: list[tuple[Any, ...]]) -> int:
    """Return a sum of rows, but not of when they were removed."""
    return checksum([(row, id, *values) for row, id, _, *values in rows])


def removals_of(rows: Iterable[int], version: int) -> int:
    """Return the sum of rows that a version removed; those of several add up, modulo 2^32."""
    return sum(checksum(row, version) for row in rows) % 2**32


class Catalog:
    """One connection to a catalog; in memory without a folder."""

    def __init__(self, folder: Path | None, *, create: bool = False, writes: bool = True) -> None:
        self.path = None if folder is None else folder / FILE
        with as_written(self.path), told(self.path):
            self.sql = self._connected(create, writes)

    def close(self) -> None:
        """Close the connection."""
        self.sql.close()

    def lay_out(self, facts: dict[str, Any], columns: Columns) -> None:
        """Make the tables of a new index, whose version is 0."""
        with self.transaction():
            for statement in _schema(columns):
                self.sql.run(statement)
            self.write_facts(facts | {"columns": columns.text(), "generation": 0, "oldest": 0})
            self.write_version(Version(0, 0, 0, 0, 0, 0.0))
            self.sql.run(f"PRAGMA application_id = {_APPLICATION}")
            self.sql.run(f"PRAGMA user_version = {_FORMAT}")

    def refuse_other_tables(self, columns: Columns) -> None:
        """Raise DamagedError for other tables than `lay_out` makes."""
        found = self.all("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        if sorted(sql for (sql,) in found) != sorted(_schema(columns)):
            raise DamagedError(f"{self.path} is damaged: its tables are not those of an index")

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Do all of it, or nothing."""
        with told(self.path):
            self.sql.run(f"BEGIN {kind}")
            try:
                yield
                self.sql.run("COMMIT")
            except BaseException:
                if self.sql.in_transaction:
                    self.sql.run("ROLLBACK")
                raise

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that a statement gives."""
        with told(self.path):
            return self.sql.all(statement, values)

    def facts(self) -> dict[str, Any]:
        """Return what never or seldom changes; DamagedError where it is not as it was written."""
        found = dict(self.all("SELECT name, value FROM facts"))
        said = found.pop("sum", None)
        if said != checksum(sorted(found.items())):
            raise DamagedError(f"{self.path} is damaged: its facts have another sum than they say")
        return found

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Keep facts beside those that are there."""
        known = dict(self.all("SELECT name, value FROM facts"))
        known.pop("sum", None)
        known |= facts
        known["sum"] = checksum(sorted(known.items()))
        self.sql.run_many("INSERT OR REPLACE INTO facts VALUES (?, ?)", known.items())

    def version(self, number: int | None = None) -> Version | None:
        """Return the newest version or another one; None if it is not kept."""
        which = "ORDER BY version DESC LIMIT 1" if number is None else "WHERE version = ?"
        given = () if number is None else (number,)
        found = self.all(f"SELECT * FROM versions {which}", given)
        if not found:
            return None
        *fields, said = found[0]
        if said != checksum(*fields):
            raise DamagedError(
                f"{self.path} is damaged: version {fields[0]} has another sum than it says"
            )
        return Version(*fields)

    def write_version(self, version: Version) -> None:
        """Keep a version."""
        given = (*version, checksum(*version))
        self.sql.run("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)", given)

    def rows(self, columns: Columns, first: int, end: int) -> list[tuple[Any, ...]]:
        """Return rows from a number to another: number, id, when it was removed, columns."""
        names = columns.names_of_sql()
        return self.all(
            f"SELECT row, id, removed{names} FROM rows WHERE row >= ? AND row < ? ORDER BY row",
            (first, end),
        )

    def truncate_log(self) -> bool:
        """Move what was logged into its place; return whether nobody was in the way."""
        busy, _, _ = self.all("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        return not busy

    def _connected(self, create: bool, writes: bool) -> Connection:
        if self.path is None:
            return _opened(":memory:", uri=False)
        mode = "rwc" if create else "rw" if writes else "ro"
        name = f"{self.path.absolute().as_uri()}?mode={mode}"
        log = self.path.with_name(f"{FILE}-wal")
        if mode == "ro" and not log.exists() and not _writable(self.path.parent):
            # A log cannot be made there, and nobody writes.
            name += "&immutable=1"
        sql = _opened(name, uri=True)
        try:
            if create:
                sql.run("PRAGMA journal_mode = WAL")
            else:
                self._check_format(sql)
            for pragma in ("synchronous = FULL", "secure_delete = ON", f"cache_size = -{_CACHE}"):
                sql.run(f"PRAGMA {pragma}")
        except BaseException:
            sql.close()
            raise
        return sql

    def _check_format(self, sql: Connection) -> None:
        ((application,),) = sql.all("PRAGMA application_id")
        ((format,),) = sql.all("PRAGMA user_version")
        if application != _APPLICATION:
            raise DamagedError(
                f"{self.path} is no catalog of an index, or damaged: it is of application "
                f"{application:#x}"
            )
        if format != _FORMAT:
            raise ValueError(
                f"{self.path} has version {format}, of a newer release; this one reads "
                f"{_FORMAT}: upgrade minifloat"
            )


def _schema(columns: Columns) -> list[str]:
    """Return what makes the tables of an index, as SQLite keeps it."""
    tables = _TABLES.format(columns=columns.of_sql()).split(";")
    indexes = [f'CREATE INDEX "by_{name}" ON rows ("{name}", removed)' for name in columns.indexed]
    return [statement.strip() for statement in tables if statement.strip()] + indexes


def _opened(name: str, *, uri: bool) -> Connection:
    with within_sqlite():
        return sqlite3.connect(
            name,
            uri=uri,
            isolation_level=None,
            check_same_thread=False,
            timeout=WAITS,
            factory=Connection,
        )


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
