"""Answers of searches: the order of their rows, and one made of those over different rows."""

from __future__ import annotations

import torch
from torch import Tensor

# Scores and rows, both (queries, any number); a row that is not there is -1 with score NaN.
Answer = tuple[Tensor, Tensor]


def merged(first: Answer, second: Answer, k: int) -> Answer:
    """Return the k best of two answers, of which the first has the lower rows.

    Larger scores come first, then NaN, then rows that are not there; of equal ones the lower row.
    """
    scores, rows = (torch.cat(both, 1) for both in zip(first, second, strict=True))
    # No cosine is as low as what stands for NaN.
    keys = torch.where(rows < 0, -torch.inf, scores.nan_to_num(torch.finfo(scores.dtype).min))
    order = keys.sort(stable=True, dim=1, descending=True).indices[:, :k]
    return scores.gather(1, order), rows.gather(1, order)


def none_of(queries: Tensor) -> Answer:
    """Return the answer that has no rows, to so many queries, on their device."""
    scores = torch.empty((len(queries), 0), dtype=torch.float32, device=queries.device)
    return scores, scores.long()


def moved(answer: Answer, first: int) -> Answer:
    """Return the answer of a part of the rows, its numbers counted from the part's first row."""
    scores, rows = answer
    return scores, torch.where(rows < 0, rows, rows + first)
