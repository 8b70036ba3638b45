"""Answers of searches over different rows, made one."""

from __future__ import annotations

import torch
from torch import Tensor

Answer = tuple[Tensor, Tensor]


def merged(first: Answer, second: Answer, k: int) -> Answer:
    """Return the k best of two answers: scores and rows, (queries, any number), first's lower.

    Numbers come first, then NaN, then what is no row (-1).
    """
    scores, rows = (torch.cat(both, 1) for both in zip(first, second, strict=True))
    lowest = torch.finfo(torch.float64).min
    keys = torch.where(rows < 0, -torch.inf, scores.double().nan_to_num(lowest))
    order = keys.sort(stable=True, dim=1, descending=True).indices[:, :k]
    return scores.gather(1, order), rows.gather(1, order)
