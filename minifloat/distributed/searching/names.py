"""Ids of rows that were found, as rank 0 tells them to all."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from minifloat.distributed.exchange.ranks import as_bytes, of_bytes
from minifloat.distributed.shards.indexes import IndexRows
from minifloat.index.catalog.ids import INTEGER, UUIDS, as_objects
from minifloat.index.naming import named_rows


def told(index: IndexRows, names: Tensor) -> Tensor:
    """Return ids for a message, given what ranks call rows: an id, or the number of a row, or -1.

    The answer is int64 where ids are integers, and else a text, uint8 (n,).
    """
    if index.id_kind in (None, INTEGER):
        return names
    state = index.state
    assert state is not None
    numbers = names[names >= 0].unique()
    with state.reading_of(state.snapshot) as catalog:
        known = dict(named_rows(catalog, numbers, ""))
    if index.id_kind == UUIDS:
        known = {row: id.hex() for row, id in known.items()}
    ids = [known.get(row) for row in names.flatten().tolist()]
    return of_bytes(json.dumps(ids).encode())


def joined(index: IndexRows | None, data: list[Tensor], shape: tuple[int, ...]) -> Any:
    """Return rows or ids of messages, one after the other: int64, or an array of objects."""
    if index is None or index.id_kind in (None, INTEGER):
        return torch.cat(data).reshape(shape)
    ids = [id for one in data for id in json.loads(as_bytes(one))]
    if index.id_kind == UUIDS:
        ids = [None if id is None else bytes.fromhex(id) for id in ids]
    return as_objects(str(index.id_kind), ids).reshape(shape)
