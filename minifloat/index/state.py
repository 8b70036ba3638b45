"""What an index is made of, for all that is done with it: its catalog, and what is seen of it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from minifloat.index.catalog.catalog import Catalog, Version
from minifloat.index.catalog.columns import Columns
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.rows.store import Store

_STATES: weakref.WeakSet[State] = weakref.WeakSet()

# Connections of a process that this one was forked from: to close one is to meddle with its locks.
_LEFT: list[Catalog] = []


class Changes(Protocol):
    """What a writer has done and not committed, as far as readers have to know."""

    catalog: Catalog

    @property
    def has_changes(self) -> bool:
        """Whether there is any of it."""

    def flush(self) -> None:
        """Have the catalog know all of it."""

    def forked(self) -> None:
        """Be no writer's, in a process that was forked from the writer's."""

    def close(self) -> None:
        """Undo it, and let another write."""


class MovedError(LookupError):
    """Rows have moved since they were seen."""


class State:
    """An index: where it is, how its rows are made, and what is seen of it now.

    changing: held by the one thread that makes changes. lock: held by whoever uses the writer's
    catalog, and while what is seen changes. Whoever takes both takes them in this order.
    """

    snapshot: Snapshot

    def __init__(self, folder: Path | None, catalog: Catalog, *, pinned: bool = False) -> None:
        facts = catalog.facts()
        self.folder, self.pinned, self.is_open = folder, pinned, True
        self.kind, self.columns = Kind.read(facts), Columns.read(facts["columns"])
        self.id_kind: str | None = facts.get("ids")
        self.writer: Changes | None = None
        self.could_not_write = False
        self._idle = [catalog]
        self._new_locks()
        _STATES.add(self)

    def see(self, catalog: Catalog, version: Version, store: Store | None = None) -> None:
        """See a version of a catalog, whose rows are in a store, or in files and that they fill."""
        facts = catalog.facts()
        generation = int(facts["generation"])
        self.id_kind = facts.get("ids")
        if store is None:
            before = getattr(self, "snapshot", None)
            stays = before is not None and before.generation == generation
            store = before.store if stays and before else Store(self.kind, version.positions)
            store = blocks.fill(store, catalog, self.folder, version.positions)
        number = version.version
        seen = Snapshot(store, version.positions, version.next_row, number, number, generation)
        statement = "SELECT row FROM rows WHERE removed IS NOT NULL AND removed <= ? AND row < ?"
        gone = numbers(catalog.all(statement, (number, version.next_row)))
        positions = store.positions(gone, version.positions)
        self.snapshot = seen.without(positions[positions >= 0])

    @contextmanager
    def reading(self) -> Iterator[tuple[Snapshot, Catalog]]:
        """Yield what is seen, and a catalog that says the same for as long as this lasts.

        A writer's other threads wait meanwhile: what takes long comes after it.
        """
        self.refuse_closed()
        if self.writer is not None:
            with self.lock:
                self.writer.flush()
                yield self.snapshot, self.writer.catalog
            return
        with self._transaction() as catalog:
            with self.lock:
                self._move_on(catalog)
                snapshot = self.snapshot
            yield snapshot, catalog

    @contextmanager
    def reading_of(self, snapshot: Snapshot) -> Iterator[Catalog]:
        """Yield a catalog that knows the rows of a snapshot; MovedError if there is none by now."""
        if self.writer is not None:
            with self.lock:
                self.writer.flush()
                yield self.writer.catalog
            return
        with self._transaction() as catalog:
            if int(catalog.facts()["generation"]) != snapshot.generation:
                raise MovedError(f"rows of {self.folder} have moved since they were seen")
            yield catalog

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Have a writer's rows stay where they are for as long as a call reads."""
        self.refuse_closed()
        own = threading.get_ident()
        # What a signal's handler raises may come anywhere: a name that stays is no harm.
        try:
            with self._gate:
                self._gate.wait_for(lambda: self._is_passable)
                self._callers.add(own)
            yield
        finally:
            with self._gate:
                self._callers.discard(own)
                self._gate.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no call reads, and let none begin meanwhile; take the lock."""
        own = {threading.get_ident()}
        try:
            with self._gate:
                self._is_passable = False
                # Calls that go on may need the lock.
                self._gate.wait_for(lambda: self._callers <= own)
            with self.lock:
                yield
        finally:
            with self._gate:
                self._is_passable = True
                self._gate.notify_all()

    def refresh(self) -> None:
        """See the newest version."""
        if self.writer is not None or self.pinned:
            return
        with self._transaction() as catalog, self.lock:
            version = catalog.version()
            assert version is not None
            if version.version != self.snapshot.version:
                self.see(catalog, version)

    def refuse_closed(self) -> None:
        """Raise ValueError for an index that was closed."""
        if not self.is_open:
            raise ValueError(f"the index {self.where} was closed: open it again")

    @property
    def where(self) -> str:
        """Where it is, in words."""
        return "in memory" if self.folder is None else str(self.folder)

    def close(self) -> None:
        """Close all connections."""
        with self.lock:
            self.is_open = False
            self.close_idle()
            if self.writer is not None:
                self.writer.close()

    def close_idle(self) -> None:
        """Close connections that no call has; calls that come open others."""
        with self.lock:
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _transaction(self) -> Iterator[Catalog]:
        """Yield a catalog that stays as it is, in a connection of this call alone."""
        with self.lock:
            catalog = self._idle.pop() if self._idle else None
        catalog = catalog or Catalog(self.folder, writes=False)
        try:
            with catalog.transaction("DEFERRED"):
                yield catalog
        finally:
            with self.lock:
                if self.is_open:
                    self._idle.append(catalog)
                else:
                    catalog.close()

    def _move_on(self, catalog: Catalog) -> None:
        """See the newest version if rows have moved, for the one that was seen is not there."""
        facts = catalog.facts()
        if int(facts["generation"]) == self.snapshot.generation:
            return
        if self.pinned:
            raise LookupError(
                f"version {self.snapshot.version} of {self.folder} is no longer kept: rows were "
                f"moved by version {facts['oldest']}; open that or a newer one"
            )
        version = catalog.version()
        assert version is not None
        self.see(catalog, version)

    def _new_locks(self) -> None:
        self.lock, self.changing = threading.RLock(), threading.RLock()
        self._gate, self._is_passable = threading.Condition(), True
        self._callers = set[int]()

    def _forked(self) -> None:
        """Let go of what belongs to the process that this one was forked from."""
        self._new_locks()
        _LEFT.extend(self._idle)
        self._idle = []
        writer = self.writer
        # One in memory is this process's own by now.
        if writer is None or self.folder is None or not self.is_open:
            return
        _LEFT.append(writer.catalog)
        writer.forked()
        if not writer.has_changes:
            self.writer = None


def numbers(found: list[tuple[Any, ...]]) -> Tensor:
    """Return the first column of what a catalog gave, int64."""
    return torch.tensor([one for one, *_ in found], dtype=torch.int64)


def _after_fork() -> None:
    for state in list(_STATES):
        state._forked()


os.register_at_fork(after_in_child=_after_fork)
