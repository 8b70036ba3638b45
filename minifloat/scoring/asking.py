"""Requests answered where the queries are, whether or not the rows are there too."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat.answers import Answer, Reached
from minifloat.ops import answer
from minifloat.ops.products import Above, Best
from minifloat.ops.rows import Sides
from minifloat.scoring import streamed

# More rows than there can be.
NO_LIMIT = 2**62


def best_of(asked: Best) -> Answer:
    """Return the best rows, on the device of the queries."""
    if _is_streamed(asked.sides):
        return streamed.search(asked)
    best, rows = answer(asked)
    return best, rows


def reached(asked: Above) -> Reached:
    """Return all rows that reach their thresholds, on the device of the queries."""
    if _is_streamed(asked.sides):
        return streamed.range_search(asked)
    return Reached(*answer(asked))


def rounded_up(numbers: Tensor) -> Tensor:
    """Return the least float32 that are no less than float64 numbers: what scores must reach."""
    nearest = numbers.float()
    above = torch.nextafter(nearest, torch.full_like(nearest, torch.inf))
    return torch.where(nearest.double() < numbers, above, nearest)


def _is_streamed(sides: Sides) -> bool:
    return sides.b.data.is_cpu and sides.a.data.device != sides.b.data.device
