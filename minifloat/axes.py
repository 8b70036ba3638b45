"""Axes along which rows are longest: of their mean, then the principal ones of what is left."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def axes_of(rows: Tensor, count: int) -> Tensor:
    """Return the direction of the mean and the leading axes of what is left: (count, dim)."""
    found: list[Tensor] = []
    mean = rows.mean(0)
    length = torch.linalg.vector_norm(mean)
    # That of rows about the origin is a rounding error.
    if count and length > 1e-6:
        found.append(mean / length)
        rows = rows - torch.outer(rows @ found[0], found[0])
    if count > len(found):
        found.extend(_principal(rows, count - len(found)))
    return _orthonormal(found) if found else rows[:0]


def _principal(rows: Tensor, count: int) -> Tensor:
    """Return the leading principal axes of rows about the origin: (count, dim)."""
    dim = rows.shape[1]
    if len(rows) >= dim:
        whole: Tensor = torch.linalg.eigh(rows.T @ rows)[1]
        return whole.T.flip(0)[:count]
    # Of few rows they are those of a smaller matrix; where rows hold nothing, any others.
    values, vectors = torch.linalg.eigh(rows @ rows.T)
    held = (values > values[-1] * len(rows) * 1e-15).flip(0)[:count]
    found = (vectors.T.flip(0)[:count] @ rows)[held]
    others = torch.eye(dim, dtype=rows.dtype)[: count - len(found)]
    return torch.cat((found, others))


def _orthonormal(axes: Sequence[Tensor]) -> Tensor:
    """Return axes made orthogonal to those before them, twice for roundings."""
    done: list[Tensor] = []
    for axis in axes:
        for _ in range(2):
            for before in done:
                axis = axis - (axis @ before) * before
            axis = axis / torch.linalg.vector_norm(axis)
        done.append(axis)
    return torch.stack(done)
