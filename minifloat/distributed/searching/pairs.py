"""All pairs of rows of all ranks whose cosine reaches a threshold: each rank finds some of them.

Blocks of rows go from each rank to half of the others, so that each pair of rows meets on one rank,
and all ranks have the same to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from operator import index as as_index
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.distributed.exchange.progress import Line
from minifloat.distributed.exchange.rounds import Round
from minifloat.distributed.exchange.tensors import as_message, of_message, there
from minifloat.distributed.searching.batches import products_in_time
from minifloat.distributed.searching.ring import Meeting, meetings, sources
from minifloat.distributed.shards.shard import Shard
from minifloat.index.catalog.ids import INTEGER
from minifloat.ops.products import Above
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.asking import NO_LIMIT, reached
from minifloat.scoring.queries import rows_of
from minifloat.scoring.reaching import thresholds_of

# Rows that ranks tell others of at once.
_ROWS = 4096


class Block(NamedTuple):
    """Rows on their way: packed, their numbers among all, which ascend, and what they are called.

    numbers and names: int64 (n,), of which names are ids where the rows are an index's.
    """

    rows: Rows
    numbers: Tensor
    names: Tensor

    def some(self, which: Tensor) -> Block:
        """Return some of them, by a mask."""
        return Block(self.rows.some(which), self.numbers[which], self.names[which])

    def told(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return numbers and names of some of them, by their places."""
        return self.numbers[places], self.names[places]


class Pairs(NamedTuple):
    """Pairs by numbers of rows and by names, both int64 (n, 2), and scores, float32 (n,)."""

    numbers: Tensor
    names: Tensor
    scores: Tensor


def pairs_above(
    shard: Shard, threshold: float, *, limit: int | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of rows of all ranks whose cosine is at least the threshold, each pair once.

    Each rank yields those that it finds, some rows' at a time: pairs, int64 (n, 2), of numbers of
    rows, or of ids of an index, of which the row with the lower number comes first, and scores,
    float32 (n,). Those of all ranks together are what `minifloat.pairs_above` finds of all rows in
    one process. All ranks must go through all of it, and none may take longer for what one block
    has than half of the shard's timeout. ValueError where a rank finds more than `limit` pairs in
    one block.
    """
    index, ranks = shard.index, shard.ranks
    if index is not None and index.id_kind not in (None, INTEGER):
        raise ValueError(f"pairs are of rows with integer ids; those of the index: {index.id_kind}")
    most = NO_LIMIT if limit is None else as_index(limit)
    meets = meetings(shard)
    sizes = [end - first for first, end in pairwise(shard.bounds)]
    rows = max(sizes)
    of_row = max(1, len(meets) * rows * shard.dim)
    fits = max(1, min(_ROWS, products_in_time(ranks) // of_row))
    # Threads, and so what fits, may differ from rank to rank.
    step = int(ranks.spread(lambda: str(fits).encode(), "pairs"))
    targets = [rank for rank in ranks.others() if ranks.rank in sources(rank, ranks.count)]
    found: dict[int, Pairs] = {}
    line = Line("pairs", "rows")

    def begun(number: int) -> Round:
        told_by = [rank for rank in meets if rank != ranks.rank]
        one = Round(ranks, f"pairs {threshold} {limit} {step}", told_by, targets)

        def met() -> Tensor:
            shard.refuse_missing()
            blocks = {ranks.rank: one.tell(lambda: _message(_block(shard, number, step)))}
            blocks |= {source: one.hear(source) for source in told_by}
            parts = [
                pairs
                for source, data in blocks.items()
                for pairs in _met(shard, _read(data), meets[source], threshold, most)
            ]
            found[number] = _put_together(parts, most)
            done = min(sizes[ranks.rank], (number + 1) * step)
            return as_message([torch.tensor([done, sizes[ranks.rank]])])

        one.give(met)
        return one

    def taken(number: int, one: Round) -> tuple[Tensor, Tensor]:
        def told(parts: list[Tensor | None]) -> Tensor:
            each = torch.stack([there(of_message(there(part))[0]) for part in parts])
            line.show(each[:, 0], each[:, 1])
            return as_message([])

        one.take(told)
        pairs = found.pop(number)
        return pairs.names, pairs.scores

    try:
        before, steps = begun(0), max(1, -(-rows // step))
        for number in range(1, steps):
            one = begun(number)
            yield taken(number - 1, before)
            before = one
        yield taken(steps - 1, before)
    finally:
        line.close()


def _block(shard: Shard, number: int, step: int) -> Block:
    """Return rows of this rank that were not removed."""
    first = min(number * step, len(shard))
    places = torch.arange(first, min(first + step, len(shard)))
    if shard.alive is not None:
        places = places[shard.alive[places]]
    return Block(rows_of(shard.vectors[places]), *_told(shard, places))


def _told(shard: Shard, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers of rows of this rank, and what they are called: so, or by their ids."""
    numbers = places + shard.first
    return numbers, numbers if shard.index is None else shard.index.names[places]


def _message(block: Block) -> Tensor:
    return as_message([*block.rows, block.numbers, block.names])


def _read(data: Tensor) -> Block:
    rows, norms, coordinates, numbers, names = of_message(data)
    return Block(Rows(there(rows), there(norms), coordinates), there(numbers), there(names))


def _met(
    shard: Shard, block: Block, meeting: Meeting, threshold: float, most: int
) -> Iterator[Pairs]:
    """Yield the pairs of a block and rows of this rank.

    Products are made as one process makes them, with the lower rows for queries.
    """
    first, end = meeting.theirs
    theirs = block.some((block.numbers >= first) & (block.numbers < end))
    begin, stop = meeting.own
    if not len(theirs.numbers):
        return
    if first < shard.end:
        is_own = first == shard.first and end == shard.end
        if is_own:
            begin = int(theirs.numbers[0]) - shard.first
        span = torch.tensor([[begin, max(begin, stop)]], device=shard.device)
        mask = None if shard.alive is None else shard.alive.to(shard.device)
        # Those of rows at once come twice, and each with itself.
        limit = min(2 * most + len(theirs.numbers), NO_LIMIT) if is_own else most
        own = rows_of(shard.vectors)
        selection = Selection(mask, span)
        yield _compared(theirs, own, partial(_told, shard), shard, selection, threshold, limit)
        return
    step = max(1, len(block.numbers))
    for number in range(-(-stop // step)):
        lower = _block(shard, number, step)
        lower = lower.some(lower.numbers < shard.first + stop)
        higher, told = theirs.rows, theirs.told
        yield _compared(lower, higher, told, shard, Selection(), threshold, most)


def _compared(
    lower: Block,
    higher: Rows,
    told: Callable[[Tensor], tuple[Tensor, Tensor]],
    shard: Shard,
    selection: Selection,
    threshold: float,
    limit: int,
) -> Pairs:
    """Return the pairs of a block and higher rows, of each once.

    told: numbers and names of higher rows, by their places.
    """
    a, b = lower.rows.to(shard.device), higher.to(shard.device)
    sides = Sides(a, b, shard.format.name, shard.dim)
    asked = Above(sides, selection, thresholds_of(threshold, sides), limit)
    offsets, rows, scores = (part.cpu() for part in reached(asked))
    counts = offsets.diff()
    both, named = (
        torch.stack([of_lower.repeat_interleave(counts), of_higher], 1)
        for of_lower, of_higher in zip((lower.numbers, lower.names), told(rows), strict=True)
    )
    once = both[:, 1] > both[:, 0]
    return Pairs(both[once], named[once], scores[once])


def _put_together(parts: list[Pairs], most: int) -> Pairs:
    none = torch.empty(0, 2, dtype=torch.int64)
    every = [Pairs(none, none, torch.empty(0)), *parts]
    pairs = Pairs(*[torch.cat(of_each) for of_each in zip(*every, strict=True)])
    if len(pairs.scores) > most:
        raise ValueError(
            f"more than limit={most} pairs reach the threshold in one block: raise the threshold, "
            "or the limit"
        )
    order = pairs.numbers[:, 1].argsort(stable=True)
    order = order[pairs.numbers[order, 0].argsort(stable=True)]
    return Pairs(*[of_each[order] for of_each in pairs])
