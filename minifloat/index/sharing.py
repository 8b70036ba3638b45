"""What those who share an index read of it: one its catalog, and each some of its rows.

The catalog of one is read by one process, for SQLite's log is for the processes of one machine; all
others are told what they need, and read files that never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.files.storage import verify_some
from minifloat.index.catalog.catalog import Catalog, Version
from minifloat.index.catalog.errors import DamagedError, as_written
from minifloat.index.folders import begun, refuse_other_folder
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.rows.store import Store
from minifloat.index.state import State, numbers


class Plan(NamedTuple):
    """What all open: facts of the catalog, a version, and its files: position, rows and name."""

    facts: dict[str, Any]
    version: Version
    files: list[tuple[int, int, str]]

    @property
    def generation(self) -> int:
        """How often rows have moved."""
        return int(self.facts["generation"])

    def snapshot(self, store: Store) -> Snapshot:
        """Return what is seen of rows that a store has."""
        number = self.version.version
        return Snapshot(store, store.count, self.version.next_row, number, number, self.generation)


def planned(folder: Path, number: int | None) -> tuple[State, Plan]:
    """Return an index that stays as it is and sees no rows yet, and what it is to see."""
    refuse_other_folder(folder)
    catalog = Catalog(folder, writes=False)
    try:
        with as_written(catalog.path), catalog.transaction("DEFERRED"):
            state, version = begun(folder, catalog, number, pinned=True)
            files = catalog.all("SELECT first, count, name FROM blocks ORDER BY first")
            kept = [(first, rows, name) for first, rows, name in files if first < version.positions]
            plan = Plan(catalog.facts(), version, kept)
            state.snapshot = plan.snapshot(Store(state.kind))
            return state, plan
    except BaseException:
        catalog.close()
        raise


def has_moved(folder: Path, plan: Plan) -> bool:
    """Return whether rows were moved together since, so that files may be gone."""
    catalog = Catalog(folder, writes=False)
    try:
        return int(catalog.facts()["generation"]) != plan.generation
    finally:
        catalog.close()


class Filling:
    """A store that gets the rows of an index from one position to another."""

    def __init__(self, plan: Plan, folder: Path, first: int, end: int) -> None:
        self._plan, self._folder, self._first, self._end = plan, folder, first, end
        self.store = Store(Kind.read(plan.facts))

    def steps(self, *, verify: bool) -> Iterator[int]:
        """Take what is in files, and yield the bytes that were read; DamagedError for others."""
        for first, rows, name in self._plan.files:
            begin, end = max(first, self._first) - first, min(first + rows, self._end) - first
            if begin >= end:
                continue
            try:
                if verify:
                    yield from verify_some(self._folder / name, begin, end)
                self.store = self.store.append_file(self._folder / name, rows, begin, end)
            except ValueError as error:
                raise DamagedError(str(error)) from error

    def bytes(self) -> int:
        """Return how many bytes of files that are."""
        width = sum(of[:1].nbytes for of in self.store.fields.values())
        inside = [
            min(first + rows, self._end) - max(first, self._first)
            for first, rows, _ in self._plan.files
        ]
        return width * sum(max(0, rows) for rows in inside)

    def finish(self, rest: dict[str, Tensor]) -> Snapshot:
        """Take what the catalog had, and return what is seen; DamagedError where rows are missing.

        Which of them were removed is not known yet.
        """
        if rest:
            self.store = self.store.append(rest)
        if self.store.count != self._end - self._first:
            raise DamagedError(
                f"{self._folder} is damaged: it holds {self.store.count} rows of "
                f"{self._end - self._first} that its catalog says"
            )
        return self._plan.snapshot(self.store)


def rest_of(state: State, plan: Plan, first: int, end: int) -> dict[str, Tensor]:
    """Return what the catalog alone keeps of rows from one position to another, by fields."""
    sealed = max((begin + rows for begin, rows, _ in plan.files), default=0)
    end = min(end, plan.version.positions)
    found: dict[str, list[Tensor]] = {}
    with state.reading_of(state.snapshot) as catalog:
        at = max(first, sealed)
        for begin, fields in blocks.parts_from(catalog, state.kind, at):
            for name, some in fields.items():
                found.setdefault(name, []).append(some[max(0, at - begin) : max(0, end - begin)])
            at = max(at, begin + len(fields["rows"]))
    return {name: torch.cat(parts) for name, parts in found.items()}


def removed_between(state: State, plan: Plan, first: int, last: int) -> Tensor:
    """Return the numbers of rows from one to another that the version has no more, ascending."""
    statement = (
        "SELECT row FROM rows WHERE removed IS NOT NULL AND removed <= ? AND row < ? "
        "AND row BETWEEN ? AND ?"
    )
    given = plan.version.version, plan.version.next_row, first, last
    with state.reading_of(state.snapshot) as catalog:
        return numbers(catalog.all(statement, given)).sort().values
