"""What rows must have in common to be joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minifloat.vectors.packed import PackedVectors


def refuse_unlike(parts: Sequence[PackedVectors]) -> None:
    """Raise ValueError for no parts, and for rows of two kinds or on two devices."""
    if not parts:
        raise ValueError("cat needs at least one PackedVectors; got none")
    kinds = sorted({f"{part.kind}, {_kept(part)}" for part in parts})
    if len(kinds) > 1:
        raise ValueError(
            "cat needs one format, dim, frame and estimator, and errors of all rows or of none; "
            f"got {'; '.join(kinds)}"
        )
    devices = sorted({str(part.device) for part in parts})
    if len(devices) > 1:
        raise ValueError(f"cat needs rows on one device; got {', '.join(devices)}")


def _kept(part: PackedVectors) -> str:
    return f"estimator {part.estimator}" + ("" if part.errors is None else " with errors")
