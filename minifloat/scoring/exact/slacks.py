"""What of a row of a database is needed to bound its cosines, beside what scores it."""

from __future__ import annotations

import math
import weakref

import torch
from torch import Tensor

from minifloat.angles import ANGLES
from minifloat.scoring.exact.margins import margins_of
from minifloat.vectors import PackedVectors

# Rows that rounding may have turned farther are not bounded: their originals are read.
MOST_TURNED = math.radians(60)

# Cosines of the angles that rounding can have turned rows by, by their errors.
LEAST_COSINES = ANGLES.cos()
MOST_COSINES = ANGLES[(torch.arange(len(ANGLES)) - 1).clamp(min=0)].cos()

# Larger than any cosine, however small the query's part in it.
_ENDLESS = 1e30

# By the number of a database, for as long as it is there.
_made: dict[int, tuple[tuple[int, ...], Tensor]] = {}


def with_slacks(database: PackedVectors) -> Tensor:
    """Return the coordinates of rows and by how much rounding may change a score: float32.

    (rows, axes + 1), on the device of the rows. They are made once for a database.
    """
    errors, coordinates = database.errors, database.coordinates
    assert errors is not None
    known = [errors] if coordinates is None else [errors, coordinates]
    # Writing to a tensor changes its version.
    state = tuple(part for of in known for part in (of.data_ptr(), of._version))
    place = id(database)
    if place in _made and _made[place][0] == state:
        return _made[place][1]
    if place not in _made:
        weakref.finalize(database, _made.pop, place, None)
    _refuse_not_finite(database.reciprocal_norms)
    made = _with_slacks(errors, coordinates, margins_of(database).rows)
    _made[place] = state, made
    return made


def _with_slacks(errors: Tensor, coordinates: Tensor | None, margin: float) -> Tensor:
    by_error = torch.where(ANGLES > MOST_TURNED, _ENDLESS, ANGLES.tan()).to(errors.device)
    if coordinates is None:
        coordinates = torch.empty(len(errors), 0, device=errors.device)
    made = torch.empty(len(errors), coordinates.shape[1] + 1, device=errors.device)
    made[:, :-1] = coordinates
    step = 1 << 18
    for first in range(0, len(errors), step):
        some = slice(first, first + step)
        slack = by_error[errors[some].long()]
        if coordinates.shape[1]:
            slack *= rest_length(coordinates[some].double(), margin)
        made[some, -1] = (slack * (1 + 1e-6)).float()
    return made


def _refuse_not_finite(norms: Tensor) -> None:
    """Raise ValueError for a row that scores NaN, whatever its original is."""
    wrong = norms.isnan().nonzero()
    if len(wrong):
        raise ValueError(
            f"row {int(wrong[0])} of the database has codes that are not finite, which have no "
            "scores to prove answers by: make it by quantize(..., saturate=True)"
        )


def rest_length(coordinates: Tensor, margin: float) -> Tensor:
    """Return the most that is left of rows at length 1 beside coordinates, float64 (n, axes)."""
    return (1 + 2 * margin - coordinates.square().sum(1)).clamp(min=0).sqrt()
