"""An index in a folder, of more rows than one file of it takes."""

from __future__ import annotations

import torch

from minifloat.index import Index
from tests.index.model import DIM

ROWS = 70_000
X = torch.randn(ROWS + 1000, DIM, generator=torch.Generator().manual_seed(1))


def answers(index: Index) -> list[object]:
    """Return what some searches give, to be compared."""
    found = [index.search(X[-3:], 5), index.search(X[-3:], 5, where="day = 1 AND id < 69000")]
    return [part.tolist() for of_search in found for part in of_search]
