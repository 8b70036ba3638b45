"""Reciprocal norms that rows of a format can have, and those that rows of codes do have."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from minifloat.formats import Format

# Rows that are looked at at once, so that they stay in cache.
_CHUNK = 1 << 18
_CHUNK_BYTES = 1 << 22

# A sum of squares of coordinates, but for roundings.
_LONGEST = 1 + 1e-4


def limits(format: Format, dim: int) -> tuple[float, float]:
    """Return the least and the largest of a row that is neither zero nor NaN."""
    least = np.float32(1 / (format.max * np.sqrt(dim, dtype=np.float64)))
    # A sum of squares may have been rounded.
    return float(np.nextafter(least, np.float32(0))), 1 / format.smallest_subnormal


def refuse_impossible(what: str, norms: Tensor, format: Format, dim: int) -> None:
    """Raise ValueError, which begins with `what`, for the first norm that no codes have."""
    least, largest = limits(format, dim)
    # Floats that are not negative have the order of their bits, and all others are outside.
    low, high = (int(np.float32(limit).view(np.int32)) for limit in (least, largest))
    for first in range(0, len(norms), _CHUNK):
        chunk = norms[first : first + _CHUNK].detach()
        bits = chunk.view(torch.int32).numpy()
        if low <= bits.min() and bits.max() <= high:
            continue
        impossible = ((bits < low) | (bits > high)) & (bits != 0)
        if format.specials != "none":
            impossible &= ~np.isnan(chunk.numpy())
        if impossible.any():
            row = int(impossible.argmax())
            others = "0" if format.specials == "none" else "0, NaN"
            raise ValueError(
                f"{what}: row {first + row} has reciprocal norm {float(chunk[row]):g}; for dim "
                f"{dim} in {format} it must be {others} or from {least:.6g} to {largest:g}"
            )


def refuse_unscaled(what: str, norms: Tensor, coordinates: Tensor | None, format: Format) -> None:
    """Raise ValueError, which begins with `what`, for the first row that no estimator makes.

    Its number is one from 0 on, and its coordinates are those of a row at length 1.
    """
    for first in range(0, len(norms), _CHUNK):
        some = slice(first, first + _CHUNK)
        chunk = norms[some].detach()
        wrong = ~((chunk >= 0) & chunk.isfinite())
        if format.specials != "none":
            wrong &= ~chunk.isnan()
        if wrong.any():
            row = int(wrong.int().argmax())
            raise ValueError(
                f"{what}: row {first + row} has {float(chunk[row]):g} for its reciprocal norm, "
                "which must be a number from 0 on"
            )
        if coordinates is None:
            continue
        long = ~(coordinates[some].detach().square().sum(1) <= _LONGEST)
        if long.any():
            row = int(long.int().argmax())
            raise ValueError(
                f"{what}: row {first + row} has coordinates {coordinates[first + row].tolist()}; "
                "the sum of their squares must be at most 1"
            )


def first_wrong(codes: Tensor, norms: Tensor, format: Format, dim: int) -> int | None:
    """Return the first row whose reciprocal norm is not that of its codes, if there is one.

    Where sums of squares are not exact, their order may change the last bit.
    """
    allowed = 1 if format.lane == "float" else 0
    step = max(1, _CHUNK_BYTES // codes.shape[1])
    for first in range(0, len(codes), step):
        given = norms[first : first + step].detach()
        found = torch.ops.minifloat.reciprocal_norms(codes[first : first + step], format.name, dim)
        bits, expected = (t.view(torch.int32).long() for t in (given, found))
        wrong = ((bits - expected).abs() > allowed) & ~(given.isnan() & found.isnan())
        if wrong.any():
            return first + int(wrong.int().argmax())
    return None
