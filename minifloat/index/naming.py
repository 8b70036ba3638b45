"""Ids of rows, and rows of ids, as a catalog knows them."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from minifloat.index.catalog.catalog import Catalog
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.ids import Ids, named
from minifloat.index.rows.snapshots import Snapshot

_LIVE = "SELECT row FROM rows WHERE id = ? AND removed IS NULL AND +row < ?"
# Those that were removed since, of what an older version sees.
_GONE = "SELECT row FROM rows WHERE removed > ? AND id = ? AND +row < ?"
_NAMED = "SELECT row, id{names} FROM rows WHERE row IN (SELECT value FROM json_each(?))"


def rows_of_ids(catalog: Catalog, snapshot: Snapshot, ids: Ids) -> Tensor:
    """Return the numbers of rows that a snapshot has, int64; -1 where it has no such id."""
    found = []
    for id in ids.values:
        rows = catalog.all(_LIVE, (id, snapshot.next_row))
        rows = rows or catalog.all(_GONE, (snapshot.sees, id, snapshot.next_row))
        found.append(rows[0][0] if rows else -1)
    return torch.tensor(found, dtype=torch.int64)


def ids_of_rows(catalog: Catalog, snapshot: Snapshot, positions: Tensor) -> list[Any]:
    """Return the ids of rows by their positions, in this order, as SQLite has them; None for -1."""
    rows = snapshot.store.fields["rows"][positions.clamp(min=0)].flatten()
    known = dict(named_rows(catalog, rows.unique(), ""))
    return [
        None if position < 0 else known[row]
        for position, row in zip(positions.flatten().tolist(), rows.tolist(), strict=True)
    ]


def columns_of_rows(catalog: Catalog, columns: Columns, rows: Tensor) -> dict[str, list[Any]]:
    """Return the columns of rows by their numbers, in this order."""
    if not columns.types:
        return {}
    known = {row: values for row, _, *values in named_rows(catalog, rows, columns.names_of_sql())}
    in_order = [known[row] for row in rows.tolist()]
    return {
        name: columns.as_made(name, [values[at] for values in in_order])
        for at, name in enumerate(columns.types)
    }


def named_rows(catalog: Catalog, rows: Tensor, names: str) -> list[Any]:
    """Return number, id and columns of rows."""
    return catalog.all(_NAMED.format(names=names), (json.dumps(rows.tolist()),))


def refuse_absent(ids: Ids, rows: Tensor) -> None:
    """Raise KeyError for ids that are not there, whose rows are -1."""
    absent = [ids.values[at] for at in (rows < 0).nonzero().squeeze(1).tolist()]
    if absent:
        raise KeyError(
            f"{len(absent)} of {len(ids)} ids are not in the index: {named(ids.kind, absent)}"
        )


def refuse_present(ids: Ids, places: list[int]) -> None:
    """Raise ValueError for ids that are there."""
    if places:
        there = [ids.values[at] for at in places]
        raise ValueError(
            f"{len(there)} of {len(ids)} ids are in the index already: {named(ids.kind, there)}; "
            "upsert replaces them"
        )
