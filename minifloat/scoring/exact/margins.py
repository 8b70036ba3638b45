"""By how much roundings of float32 may change scores, as `docs/reference/exact.md` derives it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from minifloat.vectors import PackedVectors

_UNIT = 2.0**-24

# Of float64, and of angles that are measured in it.
TINY = 1e-9


class Margins(NamedTuple):
    """By how much what is computed may differ from what is meant.

    rows: the cosine of two rows from that of their places in the frame. scores: a score from what
    it would be without rounding.
    """

    rows: float
    scores: float


def margins_of(database: PackedVectors) -> Margins:
    """Return by how much roundings may change what is computed of a database's rows."""
    dim, frame = database.dim, database.frame
    scores = (3 * dim / 8 + 120) * _UNIT
    if database.format.lane == "float":
        scores += (dim + 5) * _UNIT + 2.0**-17
    if frame is None:
        return Margins(TINY + dim * 2.0**-52, scores)
    axes = len(frame.axes)
    turn = 8 * math.log2(dim) + 80 if frame.rotate else 0
    of_one = (dim * (3 + axes) / 16 + turn + 12 * axes + 40) * _UNIT
    gram = frame.axes.double() @ frame.axes.double().T
    skewed = float((gram - torch.eye(axes, dtype=torch.float64)).norm())
    rows = 2 * of_one + of_one**2 + 2 * skewed + TINY + dim * 2.0**-52
    return Margins(rows, scores + 4 * axes * _UNIT)
