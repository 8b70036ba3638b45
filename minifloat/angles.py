"""Angles between rows and what their codes stand for, each told by a byte that is rounded up.

A byte of b says that the angle is at most b^2 / 255^2 of a right angle: small ones are told finely.
The last says nothing: rows and codes that are at right angles, or farther apart, or of which one
alone is zero, have no bound that is of use.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from minifloat import _C
from minifloat.scaling import amax, scale_rows

# In radians, by byte.
ANGLES = (torch.arange(_C.ANGLES, dtype=torch.float64) / (_C.ANGLES - 1)).square() * (math.pi / 2)

# The squares of the chords of all but the last: how far unit vectors at such angles are apart.
CHORDS = 4 * (ANGLES[:-1] / 2).sin().square()


def chords(x: Tensor, y: Tensor) -> Tensor:
    """Return the squares of the distances of float64 rows (rows, dim), each brought to length 1.

    That of two zero rows is 0, and of one alone, or of what is not finite, infinity.
    """
    x, y = (scale_rows(side, amax(side), 1.0) for side in (x, y))
    of_x, of_y = (side.norm(dim=1, keepdim=True) for side in (x, y))
    apart = (x / of_x - y / of_y).square().sum(1)
    both_zero = (of_x == 0) & (of_y == 0)
    return torch.where(both_zero.squeeze(1), 0.0, apart.nan_to_num(torch.inf))
