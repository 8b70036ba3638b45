"""Which rows of a database take part, as users say it and as operators take it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import index
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minifloat.arrays import as_tensor
from minifloat.ops.rows import Selection
from minifloat.vectors import PackedVectors

Mask: TypeAlias = "Tensor | NDArray[Any] | None"
Ranges: TypeAlias = "Tensor | NDArray[Any] | Sequence[tuple[int, int]] | None"


def selection_of(database: PackedVectors, mask: Mask, ranges: Ranges) -> Selection:
    """Return the rows that a mask and ranges leave; ValueError for what are no pairs of a list."""
    if ranges is not None and not isinstance(ranges, (Tensor, np.ndarray)):
        pairs = list(map(_first_and_end, ranges))
        ranges = torch.tensor(pairs, dtype=torch.int64, device=database.device).reshape(-1, 2)
    return Selection(
        None if mask is None else as_tensor(mask),
        None if ranges is None else as_tensor(ranges),
    )


def _first_and_end(listed: Any) -> tuple[int, int]:
    """Return a range of a list as two integers; ValueError if it is anything else."""
    # Those of Python may have two rows, and would pass for a pair.
    if not isinstance(listed, range):
        with suppress(TypeError, ValueError):
            first, end = map(index, listed)
            return first, end
    raise ValueError(
        f"ranges must be pairs of integers, the first row and the one after the last; got {listed}"
    )
