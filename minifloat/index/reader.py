"""What an index tells: searches, rows by id, rows one after the other, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.arrays import RowsLike
from minifloat.formats import Format
from minifloat.frames import Frame
from minifloat.index.catalog.catalog import Catalog
from minifloat.index.catalog.ids import INTEGER, as_id, as_ids, as_objects
from minifloat.index.naming import columns_of_rows, ids_of_rows, refuse_absent, rows_of_ids
from minifloat.index.reading.checking import damages
from minifloat.index.reading.filters import Filter, Where
from minifloat.index.reading.finding import Asked, Finder, Found
from minifloat.index.reading.stats import Stats, stats_of
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import State
from minifloat.vectors import PackedVectors

# Rows of a batch of ids.
_IDS = 1 << 14


class Rows(NamedTuple):
    """Rows of an index: ids, an int64 tensor or an object array; vectors; and columns by name."""

    ids: Any
    vectors: PackedVectors
    columns: dict[str, list[Any]]


class Reader:
    """What can be asked of an index. See `Index`."""

    def __init__(self, state: State, device: str | torch.device = "cpu") -> None:
        self._state = state
        self._finder = Finder(state, device)

    @property
    def path(self) -> Path | None:
        """Where it is; None in memory."""
        return self._state.folder

    @property
    def dim(self) -> int:
        """Values of each row."""
        return self._state.kind.dim

    @property
    def format(self) -> Format:
        """The format of codes."""
        return self._state.kind.format

    @property
    def frame(self) -> Frame | None:
        """The frame that rows are quantized in, if any."""
        return self._state.kind.frame

    @property
    def columns(self) -> dict[str, str]:
        """The columns as they were declared."""
        return self._state.columns.declared()

    @property
    def ids(self) -> str | None:
        """Of which kind ids are: integer, text or uuid; None before there are any."""
        return self._state.id_kind

    @property
    def version(self) -> int:
        """The committed version that is seen."""
        return self._state.snapshot.version

    def __len__(self) -> int:
        """Return the number of rows that are there."""
        return len(self._state.snapshot)

    def __contains__(self, id: object) -> bool:
        """Return whether an id is there."""
        try:
            ids = as_id(id, self._state.id_kind)
        except (TypeError, ValueError):
            return False
        with self._state.reading() as (snapshot, catalog):
            return int(rows_of_ids(catalog, snapshot, ids)[0]) >= 0

    def __iter__(self) -> Iterator[Any]:
        """Yield all ids, in the order in which rows were added."""
        for batch in self._batches(_IDS, with_columns=False):
            yield from batch.ids.tolist()

    def search(
        self,
        queries: PackedVectors | RowsLike,
        k: int,
        *,
        where: Where | None = None,
        only: Any = None,
        originals: Any = None,
        offset: int = 0,
    ) -> tuple[Any, Any]:
        """Return the k largest cosines of each query and the ids of their rows: both (queries, k).

        Scores are float32 and descend, of equal ones the row comes first that was added first.
        Both are arrays where the queries are, else tensors; ids that are texts or UUIDs are an
        array of objects. Where fewer rows take part than k, the rest have score NaN and id -1, or
        None.

        Rows take part that meet a condition: `where`, SQL over columns and id, such as
        "tenant = 7 AND day > 20"; values of strangers belong beside it, ("tenant = ?", [7]). A
        condition that is used often can be prepared, by `filter`. `only`: ids of rows that take
        part; KeyError for one that is not there. With both, rows must meet both. offset: the best
        so many are left out, as on a second page.

        originals are float rows as in `minifloat.search`, where row i is that of id i; or a pair
        of them and the name of an integer column, which says where each row is. Answers are then
        those of the originals, proven, if the index keeps errors.
        """
        return self._finder.best(queries, k, offset, Asked(where, only, originals))

    def range_search(
        self,
        queries: PackedVectors | RowsLike,
        threshold: float | RowsLike,
        *,
        where: Where | None = None,
        only: Any = None,
        originals: Any = None,
        limit: int | None = None,
    ) -> Found:
        """Return the ids and scores of all rows whose cosine with a query is at least a threshold.

        Those of query i are from offsets[i] to offsets[i + 1], in the order in which they were
        added. Thresholds and limit are as in `minifloat.range_search`, the rest as in `search`.
        """
        asked = Asked(where, only, originals)
        return self._finder.reached(queries, threshold, limit, asked)

    def filter(self, where: Where) -> Filter:
        """Return a condition for `where`, prepared: rows are looked for once in each version.

        ValueError for what is no condition over the columns.
        """
        filter = self._finder.filter_of(where)
        with self._state.reading() as (snapshot, catalog):
            filter.chosen(snapshot, catalog, self._state.columns)
        return filter

    def get(self, ids: Any = None, *, where: Where | None = None) -> Rows:
        """Return the rows of ids, in their order, or all that meet a condition, as they were added.

        KeyError for an id that is not there.
        """
        if (ids is None) == (where is None):
            raise TypeError("get takes ids, or where=; batches() gives all rows")
        state = self._state
        with state.calling(), state.reading() as (snapshot, catalog):
            if where is None:
                given = as_ids(ids, state.id_kind)
                rows = rows_of_ids(catalog, snapshot, given)
                refuse_absent(given, rows)
                positions = snapshot.store.positions(rows, snapshot.count)
            else:
                filter = self._finder.filter_of(where)
                positions = filter.chosen(snapshot, catalog, state.columns).positions
            return rows_at(state, snapshot, catalog, positions)

    def batches(self, rows: int = 1 << 16) -> Iterator[Rows]:
        """Yield all rows, so many at a time, in the order in which they were added.

        RuntimeError where rows are moved together meanwhile; all other changes are not seen.
        """
        if rows < 1:
            raise ValueError(f"batches must have 1 row or more; got {rows}")
        return self._batches(rows, with_columns=True)

    def check(self) -> list[str]:
        """Return what is damaged, in words: nothing, if all is as it was written.

        All files are read, and compared with their sums, as of the last commit.
        """
        return list(damages(self._state))

    def stats(self) -> Stats:
        """Return what the index holds, where, and what is still kept of removed rows."""
        return stats_of(self._state)

    def refresh(self) -> int:
        """See the newest version, and return its number.

        Another process's changes are seen only then; or sooner, where rows have been moved
        together, so that the version that was seen is no longer kept. A writer sees its own.
        """
        self._state.refuse_closed()
        self._state.refresh()
        return self.version

    def __repr__(self) -> str:
        """Return the number of rows, how they are kept, where, and the version."""
        state = self._state
        return (
            f"Index({len(self)} x {self.dim} {self.format}, {state.where}, version {self.version})"
        )

    def _batches(self, rows: int, *, with_columns: bool) -> Iterator[Rows]:
        state = self._state
        snapshot = state.snapshot
        for positions in snapshot.positions().split(rows) if len(snapshot) else ():
            with state.calling():
                if state.snapshot.generation != snapshot.generation:
                    raise RuntimeError("rows were moved together while they were gone through")
                if state.id_kind == INTEGER and not (with_columns and state.columns.types):
                    # SQLite is not needed.
                    ids = snapshot.store.fields["ids"][positions]
                    some = Rows(ids, snapshot.vectors[positions], {})
                else:
                    with state.reading_of(snapshot) as catalog:
                        some = rows_at(
                            state, snapshot, catalog, positions, with_columns=with_columns
                        )
            yield some


def rows_at(
    state: State,
    snapshot: Snapshot,
    catalog: Catalog,
    positions: Tensor,
    *,
    with_columns: bool = True,
) -> Rows:
    """Return rows by their positions, which a catalog knows."""
    numbers = snapshot.store.fields["rows"][positions]
    columns = columns_of_rows(catalog, state.columns, numbers) if with_columns else {}
    if state.id_kind in (None, INTEGER):
        ids: Any = snapshot.store.fields["ids"][positions]
    else:
        ids = as_objects(str(state.id_kind), ids_of_rows(catalog, snapshot, positions))
    return Rows(ids, snapshot.vectors[positions], columns)
