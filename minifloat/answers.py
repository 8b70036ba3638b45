"""Answers of searches: the order of their rows, and one made of those over different rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Scores and rows, both (queries, any number); a row that is not there is -1 with score NaN.
Answer = tuple[Tensor, Tensor]


class Reached(NamedTuple):
    """Rows that reach thresholds, and their scores: those of query i from offsets[i] on.

    offsets: int64 (queries + 1,), the last of which is the number of all. rows: int64, in ascending
    order for each query, and scores: float32, both as many.
    """

    offsets: Tensor
    rows: Tensor
    scores: Tensor


def merged(first: Answer, second: Answer, k: int) -> Answer:
    """Return the k best of two answers, of which the first has the lower rows.

    Larger scores come first, then NaN, then rows that are not there; of equal ones the lower row.
    """
    scores, rows = (torch.cat(both, 1) for both in zip(first, second, strict=True))
    order = best_places(scores, rows, k)
    return scores.gather(1, order), rows.gather(1, order)


def best_places(scores: Tensor, rows: Tensor, k: int) -> Tensor:
    """Return where the k best are, int64 (queries, k), among lists of ascending parts of rows."""
    # No cosine is as low as what stands for NaN.
    keys = torch.where(rows < 0, -torch.inf, scores.nan_to_num(torch.finfo(scores.dtype).min))
    return keys.sort(stable=True, dim=1, descending=True).indices[:, :k]


def none_of(queries: Tensor) -> Answer:
    """Return the answer that has no rows, to so many queries, on their device."""
    scores = torch.empty((len(queries), 0), dtype=torch.float32, device=queries.device)
    return scores, scores.long()


def moved(answer: Answer, first: int) -> Answer:
    """Return the answer of a part of the rows, its numbers counted from the part's first row."""
    scores, rows = answer
    return scores, torch.where(rows < 0, rows, rows + first)


def put_together(parts: Sequence[Reached], queries: Tensor) -> Reached:
    """Return what was reached of ascending parts of the rows, by so many queries, as one answer."""
    none = torch.empty(0, dtype=torch.int64, device=queries.device)
    numbers = [torch.repeat_interleave(part.offsets.diff()) for part in parts]
    rows = torch.cat([none, *[part.rows for part in parts]])
    scores = torch.cat([none.float(), *[part.scores for part in parts]])
    return in_order(torch.cat([none, *numbers]), rows, scores, len(queries))


def in_order(query: Tensor, rows: Tensor, scores: Tensor, queries: int) -> Reached:
    """Return rows that were reached, given those of each query in ascending order."""
    order = query.argsort(stable=True)
    offsets = query.new_zeros(queries + 1)
    offsets[1:] = torch.bincount(query, minlength=queries).cumsum(0)
    return Reached(offsets, rows[order], scores[order])
