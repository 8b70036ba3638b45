"""Queries, packed or floats, as operators take them, beside the rows they are for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

from minifloat.arrays import RowsLike, as_rows
from minifloat.files.mapping import refuse_changes
from minifloat.frames import tensors_of
from minifloat.ops.checks import SOURCES
from minifloat.ops.rows import Rows, Sides
from minifloat.vectors import PackedVectors

_ops = torch.ops.minifloat


def are_from_numpy(rows: PackedVectors | RowsLike) -> bool:
    """Return whether rows are, or were packed from, what NumPy reads."""
    return rows.from_numpy if isinstance(rows, PackedVectors) else not isinstance(rows, Tensor)


def sides_of(a: PackedVectors | RowsLike, b: PackedVectors) -> Sides:
    """Return rows as operators take them; TypeError or ValueError for other than b is made for."""
    if not isinstance(b, PackedVectors):
        raise TypeError(f"the database must be PackedVectors; got {type(b).__name__}")
    if isinstance(a, PackedVectors):
        same_frame = a.frame is b.frame or a.frame == b.frame
        if (a.format, a.dim) != (b.format, b.dim) or not same_frame:
            raise ValueError(
                f"both sides must have one format, dim and frame; got {a.kind} and {b.kind}"
            )
        refuse_changes(a.codes, a.reciprocal_norms, b.codes, b.reciprocal_norms)
        return Sides(rows_of(a), rows_of(b), b.format.name, b.dim)
    a = as_rows("queries", a)
    if a.ndim != 2 or a.shape[1] != b.dim or a.dtype not in SOURCES:
        raise ValueError(
            f"queries must be floating-point rows (rows, {b.dim}); "
            f"got {str(a.dtype).removeprefix('torch.')} of shape {tuple(a.shape)}"
        )
    refuse_changes(b.codes, b.reciprocal_norms)
    queries = _to_lane(without_derivatives("queries", a), b)
    return Sides(queries, rows_of(b), b.format.name, b.dim)


def rows_of(packed: PackedVectors) -> Rows:
    """Return packed vectors as operators take rows."""
    return Rows(packed.codes, packed.reciprocal_norms, packed.coordinates)


def without_derivatives(name: str, x: Tensor) -> Tensor:
    """Return a tensor; RuntimeError if it has derivatives, which would be 0 from here on."""
    learned = x.requires_grad and torch.is_grad_enabled()
    if learned or forward_ad.unpack_dual(x).tangent is not None:
        raise RuntimeError(
            f"{name} must have no derivatives, for scores and search have none; got a tensor "
            f"{'that requires a gradient' if learned else 'with a tangent'}: pass {name}.detach()"
        )
    return x


def _to_lane(queries: Tensor, database: PackedVectors) -> Rows:
    """Return float queries in the database's lane, with all the precision that it has.

    On the CPU, ValueError for a row that is not finite; on another device it scores NaN.
    """
    name, frame = database.format.name, database.frame
    if frame is None:
        return Rows(*_ops.to_lane(queries, name))
    return Rows(*_ops.to_lane_in_frame(queries, tensors_of(frame, queries.device), name))
