"""Rows multiplied so that their largest magnitude becomes a format's, and those that cannot be."""

from __future__ import annotations

import torch
from torch import Tensor


def amax(x: Tensor) -> Tensor:
    """Return the largest magnitude of each row (rows, 1): NaN or infinite for a row that is not."""
    return x.abs().amax(1, keepdim=True)


def check_finite(name: str, largest: Tensor, first: int = 0) -> None:
    """Raise ValueError for a row that is not finite, by the rows' `amax`; waits for a device."""
    bad = ~largest.isfinite().squeeze(1)
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
