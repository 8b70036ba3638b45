"""What SQLite and its files do wrong, as errors of Python that say what can be done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Seconds that a statement waits for another process.
WAITS = 10


class DamagedError(ValueError):
    """Files of an index that are not as they were written."""


@contextmanager
def as_written(path: Path | None) -> Iterator[None]:
    """Raise DamagedError where SQLite gives what nobody has written: other types, or tables."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError, TypeError, KeyError, OverflowError) as error:
        raise DamagedError(f"{path} is damaged: {type(error).__name__}: {error}") from error


@contextmanager
def told(path: Path | None) -> Iterator[None]:
    """Raise errors of SQLite as Python's, which say what can be done."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # Python's own, such as of texts that are none, have no code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise OSError(
                f"{path}: the disk is full, and what was not committed is undone: make room, and "
                "do it again"
            ) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise PermissionError(
                f"{path} cannot be written: {error}: have the right to write to its folder, or read"
            ) from error
        if code == sqlite3.SQLITE_CANTOPEN:
            raise PermissionError(
                f"{path} cannot be opened: {error}: have the right to, and room on the disk, and "
                "do it again"
            ) from error
        if code == sqlite3.SQLITE_BUSY:
            raise TimeoutError(
                f"{path} is in use by another process, for more than {WAITS} s: {error}"
            ) from error
        if code == sqlite3.SQLITE_IOERR:
            raise OSError(
                f"{path} cannot be read or written: {error}, and what was not committed is undone: "
                "see to the disk, and do it again"
            ) from error
        raise
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        ):
            raise DamagedError(f"{path} is damaged: {error}") from error
        raise
