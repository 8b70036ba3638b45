"""What rows must have in common to be joined."""

from __future__ import annotations

from collections.abc import Sequence


def refuse_unlike(kinds: Sequence[str], devices: Sequence[str]) -> None:
    """Raise ValueError for no rows, and for rows of two kinds or on two devices."""
    if not kinds:
        raise ValueError("cat needs at least one PackedVectors; got none")
    if len(set(kinds)) > 1:
        raise ValueError(
            "cat needs one format, dim, frame and estimator, and errors of all rows or of none; "
            f"got {'; '.join(sorted(set(kinds)))}"
        )
    if len(set(devices)) > 1:
        raise ValueError(f"cat needs rows on one device; got {', '.join(sorted(set(devices)))}")
