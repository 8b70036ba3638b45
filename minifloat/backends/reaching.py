"""Rows that reach thresholds, of blocks of scores that a backend makes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minifloat.answers import Reached, in_order
from minifloat.ops.products import Above, AllScores

# Scores that are made at once, and the most rows that they are of.
_SCORES, _ROWS = 1 << 26, 1 << 16


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
