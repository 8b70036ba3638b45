"""All rows whose cosines reach a threshold, of those of all ranks."""

from __future__ import annotations

from operator import index as as_index
from typing import Any, NamedTuple

import torch

from minifloat.answers import Reached, put_together
from minifloat.arrays import RowsLike
from minifloat.distributed.exchange.tensors import there
from minifloat.distributed.searching import names
from minifloat.distributed.searching.batches import Call, Tensors
from minifloat.distributed.searching.queries import Queries
from minifloat.distributed.searching.taking import Asked, Taking, originals_of
from minifloat.distributed.shards.shard import Missing, Shard
from minifloat.index.reading.filters import Where
from minifloat.ops.products import Above, refuse_above_limit
from minifloat.ops.rows import Sides
from minifloat.scoring import exact
from minifloat.scoring.asking import NO_LIMIT, reached
from minifloat.scoring.queries import rows_of
from minifloat.scoring.reaching import Order, by_score, check_order, thresholds_of
from minifloat.scoring.selecting import Mask, Ranges

# Bytes of answers that a query is taken to have, of which nobody knows before.
_GUESS = 1 << 16


class Found(NamedTuple):
    """Rows or ids that reach thresholds, and scores: those of query i from offsets[i] on.

    offsets: int64 (queries + 1,). missing: whose rows could not be read.
    """

    offsets: Any
    rows: Any
    scores: Any
    missing: tuple[Missing, ...] = ()


def range_search(
    queries: Any,
    shard: Shard,
    threshold: float | RowsLike,
    *,
    src: int | None = None,
    dst: int | None = None,
    mask: Mask = None,
    ranges: Ranges = None,
    where: Where | None = None,
    only: Any = None,
    order: Order = "row",
    limit: int | None = None,
    originals: Any = None,
    allow_partial: bool = False,
) -> Found:
    """Return all rows of all ranks whose cosine with a query is at least the threshold.

    It is what `minifloat.range_search` gives of all rows in one process, or of an index
    `Index.range_search`, ids then in place of rows. Ranks, queries and what else there is are as in
    `search` here; thresholds are taken from the rank that has the queries. Where more than `limit`
    rows are found in all, ValueError on all ranks.
    """
    call = Call(shard, f"range_search {order} {limit}", src, dst, answer_bytes=_GUESS)
    asked = Asked(mask, ranges, where, only)
    one = _Search(shard, order, NO_LIMIT if limit is None else as_index(limit), originals)

    def prepare() -> Queries:
        return Queries.of(
            queries,
            shard.vectors,
            call.batch,
            are_read=originals is not None,
            thresholds=lambda sides: thresholds_of(threshold, sides),
        )

    found = call.answered(queries, prepare, asked, one, allow_partial=allow_partial)
    if not call.is_answered:
        return Found(None, None, None)
    return one.answer(found, call, queries)


class _Search:
    """One search: what a rank finds, and what rank 0 makes of what all have found."""

    def __init__(self, shard: Shard, order: str, limit: int, originals: Any) -> None:
        self.shard, self.order, self.limit = shard, order, limit
        self.originals, self.found = originals, 0

    def check(self) -> None:
        """Raise ValueError for what cannot be asked."""
        check_order(self.order)

    def own(self, queries: Queries, taking: Taking) -> Tensors:
        """Return the rows of this rank that reach thresholds, as `Reached` has them, and names."""
        shard = self.shard
        a = queries.rows.to(shard.device)
        sides = Sides(a, rows_of(taking.vectors), shard.format.name, shard.dim)
        thresholds = there(queries.thresholds).to(shard.device)
        asked = Above(sides, taking.selection, thresholds, self.limit)
        if self.originals is None:
            offsets, rows, scores = (part.cpu() for part in reached(asked))
        else:
            given = originals_of(shard, self.originals, taking)
            offsets, rows, scores = exact.range_search(
                there(queries.x), asked, taking.vectors, given
            )
        positions = taking.positions_of(rows)
        of_index = None if shard.index is None else shard.index.names[positions]
        return [offsets, positions + shard.first, scores, of_index]

    def combine(self, parts: list[Tensors | None]) -> Tensors:
        """Return the rows of all ranks; ValueError for more than there may be."""
        here = [part for part in parts if part is not None]
        all_of = [Reached(there(part[0]), there(part[1]), there(part[2])) for part in here]
        self.found += sum(len(part.rows) for part in all_of)
        refuse_above_limit(self.found, self.limit)
        queries = all_of[0].offsets[1:]
        whole = put_together(all_of, queries)
        index = self.shard.index
        if index is not None:
            named = [
                part._replace(rows=there(of[3])) for part, of in zip(all_of, here, strict=True)
            ]
            whole = whole._replace(rows=put_together(named, queries).rows)
        offsets, rows, scores = whole if self.order == "row" else by_score(whole)
        return [offsets, rows if index is None else names.told(index, rows), scores]

    def answer(self, batches: list[Tensors], call: Call, queries: Any) -> Found:
        """Return the answers to all batches as the queries came."""
        counts = torch.cat([there(of[0]).diff() for of in batches])
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
        scores = torch.cat([there(of[2]) for of in batches])
        rows = names.joined(self.shard.index, [there(of[1]) for of in batches], scores.shape)
        offsets, rows, scores = call.as_asked(queries, offsets, rows, scores)
        return Found(offsets, rows, scores, call.left_out)
