"""Searches of an index: which rows take part, and the ids of those that are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from minifloat.arrays import as_made
from minifloat.index.catalog.ids import INTEGER, as_ids, as_objects
from minifloat.index.naming import ids_of_rows, refuse_absent, rows_of_ids
from minifloat.index.reading.filters import Chosen, Filter, Where
from minifloat.index.rows.devices import OnDevice
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import MovedError, State
from minifloat.scoring import range_search, search
from minifloat.scoring.exact import Renumbered
from minifloat.scoring.queries import are_from_numpy
from minifloat.vectors import PackedVectors

# How often a search is made anew where another process has moved its rows meanwhile.
_TRIES = 10

# Conditions that stay prepared, by their texts.
_PREPARED = 4

Answer = TypeVar("Answer")


class Found(NamedTuple):
    """What a range search found: ids and scores of query i are from offsets[i] to offsets[i + 1].

    offsets: int64 (queries + 1,). ids: int64, or an object array of str or UUID; scores: float32.
    """

    offsets: Any
    ids: Any
    scores: Any


class Asked(NamedTuple):
    """Which rows take part, and of what all were made."""

    where: Where | None = None
    only: Any = None
    originals: Any = None


class Taking(NamedTuple):
    """Rows that are searched, of a snapshot.

    mask: which of them take part; None for all. positions: where each is in the snapshot; None
    where they are its own.
    """

    snapshot: Snapshot
    vectors: PackedVectors
    mask: Tensor | None
    positions: Tensor | None
    there: int

    def positions_of(self, found: Tensor) -> Tensor:
        """Return where rows that were found are in the snapshot; -1 stays."""
        found = found.cpu()
        if self.positions is None or not self.there:
            return found
        return torch.where(found < 0, found, self.positions[found.clamp(min=0)])


class Finder:
    """Searches an index, on the CPU or on a copy that a device has."""

    def __init__(self, state: State, device: str | torch.device = "cpu") -> None:
        self.state, self._device = state, OnDevice(device)
        self._prepared: dict[Any, Filter] = {}

    def best(self, queries: Any, k: int, offset: int, asked: Asked) -> tuple[Any, Any]:
        """Return the scores and ids of the best rows, from one on: both (queries, k)."""
        check_page(k, offset)

        def once() -> tuple[Any, Any]:
            taking = self._taking(asked)
            scores, positions = _best(queries, k, offset, taking, self._originals(taking, asked))
            ids = self._ids(taking.snapshot, positions, queries, scores.device)
            return as_made(are_from_numpy(queries), scores), ids

        return self._tried(once)

    def reached(self, queries: Any, threshold: Any, limit: int | None, asked: Asked) -> Found:
        """Return the ids and scores of all rows that reach a threshold."""

        def once() -> Found:
            taking = self._taking(asked)
            offsets, rows, scores = range_search(
                queries,
                taking.vectors,
                threshold,
                mask=taking.mask,
                limit=limit,
                originals=self._originals(taking, asked),
            )
            found = torch.as_tensor(rows)
            positions = taking.positions_of(found)
            ids = self._ids(taking.snapshot, positions, queries, found.device)
            return Found(offsets, ids, scores)

        return self._tried(once)

    def filter_of(self, where: Where) -> Filter:
        """Return a condition, prepared; those that were given last stay so."""
        if isinstance(where, Filter):
            return where
        fresh = Filter(where)
        key = fresh.text, fresh.values
        filter = self._prepared.pop(key, fresh)
        self._prepared[key] = filter
        while len(self._prepared) > _PREPARED:
            self._prepared.pop(next(iter(self._prepared)), None)
        return filter

    def _tried(self, once: Callable[[], Answer]) -> Answer:
        for _ in range(_TRIES):
            try:
                with self.state.calling():
                    return once()
            except MovedError:
                # Which sees where they are now.
                with self.state.reading():
                    continue
        raise TimeoutError(f"{self.state.where}: rows moved {_TRIES} times during one search")

    def _taking(self, asked: Asked) -> Taking:
        """Return the rows that take part."""
        if asked.where is None and asked.only is None:
            snapshot = self.state.snapshot
            vectors, mask = self._device.rows(snapshot), self._device.mask(snapshot.mask)
            return Taking(snapshot, vectors, mask, None, len(snapshot))
        with self.state.reading() as (snapshot, catalog):
            chosen = None
            if asked.where is not None:
                filter = self.filter_of(asked.where)
                chosen = filter.chosen(snapshot, catalog, self.state.columns)
            if asked.only is not None:
                ids = as_ids(asked.only, self.state.id_kind)
                rows = rows_of_ids(catalog, snapshot, ids)
                refuse_absent(ids, rows)
                positions = snapshot.store.positions(rows, snapshot.count).unique()
                if chosen is not None:
                    positions = positions[torch.isin(positions, chosen.positions)]
                chosen = Chosen(snapshot, positions)
        assert chosen is not None
        count = len(chosen.positions)
        if chosen.are_few:
            few = chosen.gathered(self._device.device)
            return Taking(snapshot, few, None, chosen.positions, count)
        mask = self._device.mask(chosen.mask())
        return Taking(snapshot, self._device.rows(snapshot), mask, None, count)

    def _originals(self, taking: Taking, asked: Asked) -> Any:
        """Return originals as a search takes them: rows of an array, by the ids of rows."""
        if asked.originals is None:
            return None
        rows, snapshot = asked.originals, taking.snapshot
        if isinstance(rows, tuple):
            rows, column = rows
            numbers = self._numbers(snapshot, column)
        elif self.state.id_kind in (None, INTEGER):
            numbers = snapshot.store.fields["ids"][: snapshot.count]
        else:
            raise ValueError(
                f"ids of this index are of kind {self.state.id_kind}, and tell no rows of "
                "originals: give these with the name of an integer column that does, (rows, 'name')"
            )
        return Renumbered(rows, numbers if taking.positions is None else numbers[taking.positions])

    def _numbers(self, snapshot: Snapshot, column: str) -> Tensor:
        """Return an integer column of all rows; ValueError for one that is missing, or has none."""
        types = self.state.columns.types
        if types.get(column) != "integer":
            raise ValueError(
                f"rows of originals are told by an integer column; this index has {types}, and "
                f"got {column!r}"
            )
        with self.state.reading_of(snapshot) as catalog:
            found = catalog.all(f'SELECT "{column}", row FROM rows ORDER BY row')
        rows = torch.tensor([row for _, row in found], dtype=torch.int64)
        values = torch.tensor([-1 if value is None else value for value, _ in found])
        positions = snapshot.store.positions(rows, snapshot.count)
        numbers = torch.full((snapshot.count,), -1)
        numbers[positions[positions >= 0]] = values[positions >= 0]
        if snapshot.mask is not None:
            # Those that were removed take no part.
            numbers[~snapshot.mask] = 0
        return numbers

    def _ids(
        self, snapshot: Snapshot, positions: Tensor, queries: Any, device: torch.device
    ) -> Any:
        """Return the ids of rows, for the queries that found them, by their positions."""
        if self.state.id_kind in (None, INTEGER):
            # Memory of a row is reserved even where there is none.
            ids = snapshot.store.fields["ids"][positions.clamp(min=0)]
            ids = torch.where(positions < 0, -1, ids)
            return as_made(are_from_numpy(queries), ids.to(device))
        with self.state.reading_of(snapshot) as catalog:
            found = ids_of_rows(catalog, snapshot, positions)
        return as_objects(self.state.id_kind, found).reshape(positions.shape)


def check_page(k: int, offset: int) -> None:
    """Raise ValueError for a number of rows, or of rows before them, that cannot be."""
    if k < 1 or offset < 0:
        raise ValueError(f"k must be 1 or more, and offset 0 or more; got {k} and {offset}")


def _best(
    queries: Any, k: int, offset: int, taking: Taking, originals: Any
) -> tuple[Tensor, Tensor]:
    """Return scores and positions; rows that are not there have NaN and -1."""
    most = min(k + offset, taking.there)
    # Queries are checked even where nothing can be found.
    if most:
        scores, found = search(queries, taking.vectors, most, mask=taking.mask, originals=originals)
    else:
        reached = range_search(queries, taking.vectors[:0], 1.0)
        none = len(reached.offsets) - 1
        scores, found = torch.empty(none, 0), torch.empty(none, 0, dtype=torch.int64)
    scores, found = (torch.as_tensor(part)[:, offset:] for part in (scores, found))
    missing = (0, k - scores.shape[1])
    scores = torch.nn.functional.pad(scores, missing, value=torch.nan)
    return scores, taking.positions_of(torch.nn.functional.pad(found, missing, value=-1))
