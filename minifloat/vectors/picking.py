"""Which rows an index of packed vectors names."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from minifloat.arrays import as_row_numbers


def picked(rows: int | slice | Tensor | ArrayLike, count: int) -> slice | Tensor:
    """Return, of so many rows, a slice that goes forwards, or the numbers of those that are meant.

    They are those that NumPy gives; one index keeps the dimension.
    """
    if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
        row = int(rows)
        if not -count <= row < count:
            raise IndexError(f"row {row} is out of range for {count} rows")
        return slice(row % count, row % count + 1)
    if isinstance(rows, slice):
        chosen = range(*rows.indices(count))
        if chosen.step > 0:
            return rows
        rows = chosen.start + chosen.step * torch.arange(len(chosen))
    return as_row_numbers(rows, count)
