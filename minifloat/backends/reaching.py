"""Rows that reach thresholds, of blocks of scores, or of a list, that a backend makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from minifloat.answers import Reached, in_order
from minifloat.ops.products import Above, AllScores

# Scores that are made at once, and the most rows that they are of.
_SCORES, _ROWS = 1 << 26, 1 << 16

# Hits for which there is room at first: with more of them rows are gone through again.
_ROOM = 1 << 20

_ROW_BITS = 32


class Hits(NamedTuple):
    """A list of scores that reach thresholds, in any order.

    keys: int64 (room,), each a query's number times 2**32 and a row's. scores: float32 (room,).
    total: int64 (1,), of all that do, also of more than there is room for.
    """

    keys: Tensor
    scores: Tensor
    total: Tensor

    def in_order(self, count: int, queries: int) -> Reached:
        """Return so many hits in their order."""
        keys, order = self.keys[:count].sort()
        firsts = torch.arange(queries + 1, device=keys.device) << _ROW_BITS
        rows = keys & (1 << _ROW_BITS) - 1
        return Reached(torch.searchsorted(keys, firsts), rows, self.scores[:count][order])


def reaching(all_scores: Callable[[AllScores, Tensor], None]) -> Callable[[Above], Reached]:
    """Return the function that finds all rows; it waits for a device to learn how many."""

    def above(asked: Above) -> Reached:
        sides, mask = asked.sides, asked.selection.mask
        queries, rows = sides.shape
        step = max(1, min(_ROWS, _SCORES // max(1, queries)))
        none = asked.results(0)
        found = [(none.rows, none.rows, none.scores)]
        for begin, end in asked.selection.spans(rows):
            for first in range(begin, end, step):
                some = slice(first, min(end, first + step))
                block = AllScores(sides.of_some(some))
                scores = block.results()
                all_scores(block, scores)
                reached = scores >= asked.thresholds[:, None]
                if mask is not None:
                    reached &= mask[some]
                query, row = reached.nonzero(as_tuple=True)
                found.append((query, row + first, scores[query, row]))
                asked.refuse_above_limit(sum(len(part[0]) for part in found))
        query, row, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
        return in_order(query, row, scores, queries)

    return above


def appending(append: Callable[[Above, Hits], None]) -> Callable[[Above], Reached]:
    """Return the function that finds all rows; it waits for a device to learn how many."""

    def appended(asked: Above, room: int) -> tuple[Hits, int]:
        norms = asked.sides.b.norms
        keys, total = (norms.new_empty(size, dtype=torch.int64) for size in (room, 1))
        hits = Hits(keys, norms.new_empty(room), total)
        append(asked, hits)
        return hits, int(total)

    def above(asked: Above) -> Reached:
        room = min(asked.limit, _ROOM)
        hits, count = appended(asked, room)
        asked.refuse_above_limit(count)
        if count > room:
            hits, count = appended(asked, count)
        return hits.in_order(count, asked.sides.shape[0])

    return above
