"""Which of a rank's rows take part in a search."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.distributed.exchange.rounds import Round
from minifloat.distributed.exchange.tensors import as_message, of_message, there
from minifloat.distributed.shards.shard import Shard
from minifloat.index.catalog.ids import as_ids
from minifloat.index.naming import refuse_absent, rows_of_ids
from minifloat.index.reading.filters import Chosen, Filter, Where, rows_where
from minifloat.ops.rows import Selection
from minifloat.scoring.exact import Renumbered
from minifloat.scoring.selecting import Mask, Ranges, selection_of
from minifloat.vectors import PackedVectors

# Conditions whose rows stay known.
_PREPARED = 4


class Asked(NamedTuple):
    """Which rows take part, as users say it; see `search`."""

    mask: Mask = None
    ranges: Ranges = None
    where: Where | None = None
    only: Any = None


class Taking(NamedTuple):
    """Rows that take part: those of `vectors` that a selection leaves, which are so many.

    positions: where each is among the rank's own; None where they are these.
    """

    vectors: PackedVectors
    selection: Selection
    positions: Tensor | None
    rows: int

    def positions_of(self, found: Tensor) -> Tensor:
        """Return where rows that were found are among the rank's own, on the CPU; -1 stays."""
        found = found.cpu()
        if self.positions is None or not self.rows:
            return found
        return torch.where(found < 0, found, self.positions[found.clamp(min=0)])


def taking_of(shard: Shard, asked: Asked, chosen: Chosen | None) -> Taking:
    """Return the rows of this rank that take part, given those of an index that were chosen."""
    index = shard.index
    if index is None:
        return _of_files(shard, asked)
    if asked.mask is not None or asked.ranges is not None:
        raise ValueError("mask and ranges are of files; rows of an index take where= and only=")
    if chosen is None:
        alive = shard.alive
        mask = None if alive is None else alive.to(shard.device)
        return Taking(shard.vectors, Selection(mask), None, len(index.snapshot))
    rows = len(chosen.positions)
    if chosen.are_few:
        return Taking(chosen.gathered(shard.device), Selection(), chosen.positions, rows)
    return Taking(shard.vectors, Selection(chosen.mask().to(shard.device)), None, rows)


def _of_files(shard: Shard, asked: Asked) -> Taking:
    if asked.where is not None or asked.only is not None:
        raise ValueError("where and only are of an index; these rows take mask= and ranges=")
    selection = selection_of(shard.vectors, asked.mask, asked.ranges)
    if selection.ranges is not None:
        selection.check_ranges(shard.total)
        own = selection.ranges.clamp(shard.first, shard.end) - shard.first
        selection = selection._replace(ranges=own.to(shard.device))
    selection.check(shard.vectors.codes)
    return Taking(shard.vectors, selection, None, selection.count(len(shard)))


def originals_of(shard: Shard, rows: Any, taking: Taking) -> Renumbered:
    """Return float rows, of which each of those that take part has its own by number, or by id."""
    positions = taking.positions
    if positions is None:
        positions = torch.arange(len(shard))
    if shard.index is None:
        return Renumbered(rows, positions + shard.first)
    return Renumbered(rows, shard.index.numbers()[positions])


def chosen_of(shard: Shard, asked: Asked) -> Chosen | None:
    """Return the rows of an index that a condition and ids leave; None where none are asked for.

    Rank 0 finds them for all, who must ask for the same at once.
    """
    index = shard.index
    if index is None or (asked.where is None and asked.only is None):
        return None
    filter = None
    if asked.where is not None:
        filter = asked.where if isinstance(asked.where, Filter) else Filter(asked.where)
    key = None if filter is None or asked.only is not None else (filter.text, filter.values)
    if key is not None and key in shard.prepared:
        return shard.prepared[key]

    def found() -> list[Tensor]:
        assert index.state is not None
        with index.state.reading() as (snapshot, catalog):
            rows = None
            if filter is not None:
                given = index.columns, filter.text, filter.values
                rows = rows_where(snapshot, catalog, *given)
            if asked.only is not None:
                ids = as_ids(asked.only, index.id_kind)
                of_ids = rows_of_ids(catalog, snapshot, ids)
                refuse_absent(ids, of_ids)
                of_ids = of_ids.unique()
                rows = of_ids if rows is None else of_ids[torch.isin(of_ids, rows)]
        assert rows is not None
        return [as_message([some]) for some in index.of_each(rows)]

    chosen: Chosen | None = None

    def placed() -> Tensor:
        nonlocal chosen
        rows = there(of_message(one.spread(found))[0])
        positions = index.snapshot.store.positions(rows, index.snapshot.count)
        chosen = Chosen(index.snapshot, positions[positions >= 0])
        return as_message([])

    one = Round.of_one(shard.ranks, f"where {filter}", 0)
    one.give(placed)
    one.take(lambda _: as_message([]))
    assert chosen is not None
    if key is not None:
        shard.prepared[key] = chosen
        while len(shard.prepared) > _PREPARED:
            shard.prepared.pop(next(iter(shard.prepared)))
    return chosen
