"""No process is forked while a thread is within SQLite, whose locks nobody would open there."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any


class _Gate:
    """Knows threads that are within SQLite; one that forks waits for them, and they for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._within, self._forking = set[int](), False
        self._own = threading.local()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Be within."""
        depth, own = getattr(self._own, "depth", 0), threading.get_ident()
        # What a signal's handler raises may come anywhere: a name that stays is no harm.
        try:
            if not depth:
                with self._changed:
                    self._changed.wait_for(lambda: not self._forking)
                    self._within.add(own)
            self._own.depth = depth + 1
            yield
        finally:
            self._own.depth = depth
            if not depth:
                with self._changed:
                    self._within.discard(own)
                    self._changed.notify_all()

    def shut(self) -> None:
        """Wait until no other thread is within, and let none in."""
        own = {threading.get_ident()}
        with self._changed:
            self._changed.wait_for(lambda: not self._forking)
            self._forking = True
            self._changed.wait_for(lambda: self._within <= own)

    def open(self) -> None:
        """Let threads in."""
        with self._changed:
            self._forking = False
            self._changed.notify_all()


_gate = _Gate()

_NUMBERS = count()


class Connection(sqlite3.Connection):
    """A connection that forks wait for."""

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that a statement gives."""
        with _gate.passed():
            return super().execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Execute a statement that gives nothing."""
        with _gate.passed():
            super().execute(statement, values).close()

    def run_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Execute a statement with each of many values."""
        with _gate.passed():
            super().executemany(statement, values).close()

    def close(self) -> None:
        """Close the connection."""
        with _gate.passed():
            super().close()


def new_name() -> str:
    """Return a name for a savepoint that none has had; one may stay after an interrupted call."""
    return f"of_{next(_NUMBERS)}"


within_sqlite = _gate.passed


def _renewed() -> None:
    """Have a gate that no thread of the parent is within."""
    _gate.__init__()  # type: ignore[misc]


os.register_at_fork(before=_gate.shut, after_in_parent=_gate.open, after_in_child=_renewed)
