"""The best of scores that are made tile by tile, for no GPU holds all of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def best_of(tiles: Iterable[Tensor], k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores of each query and their rows: both (queries, k).

    Tiles of scores (queries, rows) come in the order of the rows.
    """
    best: tuple[Tensor, Tensor] | None = None
    first = 0
    for tile in tiles:
        values, rows = tile.topk(min(k, tile.shape[1]), 1)
        rows += first
        first += tile.shape[1]
        # The next is not made beside it.
        del tile
        if best is not None:
            values, rows = torch.cat([best[0], values], 1), torch.cat([best[1], rows], 1)
            values, order = values.topk(min(k, values.shape[1]), 1)
            rows = rows.gather(1, order)
        best = values, rows
    if best is None:
        raise ValueError("the best of no scores")
    return best


def recall(found: Tensor, exact: Tensor) -> float:
    """Return the share of the exact rows of each query, (queries, k), that were found."""
    return float((found.unsqueeze(2) == exact.unsqueeze(1)).any(1).double().mean())
