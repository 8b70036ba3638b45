"""Packed rows made float rows."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat.files.mapping import refuse_changes
from minifloat.files.stored import Stored

_ops = torch.ops.minifloat


def decoded(rows: Stored) -> Tensor:
    """Return the values of rows (rows, dim), float32; those in a frame are turned back."""
    kept = (rows.codes, rows.reciprocal_norms, rows.coordinates)
    refuse_changes(*[field for field in kept if field is not None])
    codes = _ops.unpack(rows.codes, rows.format.name, rows.dim)
    values: Tensor = _ops.decode(codes, rows.format.name)
    if rows.frame is not None and rows.coordinates is not None:
        rest = values * rows.reciprocal_norms[:, None]
        values = rows.frame.rows_of(rest, rows.coordinates)
    return values
