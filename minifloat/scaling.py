"""Rows multiplied so that they fit a format, their sums, and rows that are not finite."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

# By what rows are multiplied before they are rounded, and products with their codes afterwards.
SCALES = ("amax", "cosine", "none")
ESTIMATORS = ("norm", "unbiased")

# Sums that are added up apart, and then by halves.
_SUMS = 16


def amax(x: Tensor) -> Tensor:
    """Return the largest magnitude of each row (rows, 1): NaN or infinite for a row that is not."""
    return x.abs().amax(1, keepdim=True)


def check_finite(name: str, largest: Tensor, first: int = 0) -> None:
    """Raise ValueError for a row whose largest, or length, is not finite; waits for a device."""
    bad = ~largest.isfinite().flatten()
    if bad.any():
        refuse_row(name, first + int(bad.nonzero()[0]))


def refuse_row(name: str, row: int) -> None:
    """Raise ValueError for a row that is not finite."""
    raise ValueError(f"row {row} of {name} holds NaN or infinity; all values must be finite")


def scale_rows(x: Tensor, largest: Tensor, limit: float) -> Tensor:
    """Return rows multiplied so that their largest magnitude becomes `limit`; zero rows stay.

    In float64 for float64 rows, else in float32.
    """
    x, largest = (t if t.dtype == torch.float64 else t.float() for t in (x, largest))
    # A factor above the largest number is reached in two steps.
    step = 2.0**512 if x.dtype == torch.float64 else 2.0**64
    boost = torch.where(largest < 1 / step, step, torch.ones_like(largest))
    boosted = largest * boost
    factor = torch.where(boosted > 0, limit / boosted, 1.0)
    return x * boost * factor


def near_one(x: Tensor, largest: Tensor) -> Tensor:
    """Return rows as float32, times the power of 2 that brings the largest near 1."""
    x, largest = (t if t.dtype == torch.float64 else t.float() for t in (x, largest))
    exponent = torch.frexp(largest)[1]
    # One factor alone may be beyond the largest number.
    most = 1022 if x.dtype == torch.float64 else 126
    one = (-exponent).clamp(-most, most)
    first, second = (_power_of_two(part, x.dtype) for part in (one, -exponent - one))
    return x.mul(first).mul(second).float()


def _power_of_two(exponent: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype == torch.float64:
        return (exponent.long() + 1023 << 52).view(dtype)
    return (exponent + 127 << 23).view(dtype)


def root_of(x: Tensor) -> Tensor:
    """Return square roots of float32, rightly rounded, as torch's are not on every processor."""
    return x.double().sqrt().float()


def sum_of(x: Tensor) -> Tensor:
    """Return the sum of each row, of float32: every sixteenth value first, and then by halves."""
    places: Tensor = pad(x, (0, -x.shape[1] % _SUMS)).unflatten(1, (-1, _SUMS))
    columns = places.unbind(1)
    sums = columns[0]
    for column in columns[1:]:
        sums = sums + column
    while sums.shape[1] > 1:
        low, high = sums.chunk(2, 1)
        sums = low + high
    return sums[:, 0]
