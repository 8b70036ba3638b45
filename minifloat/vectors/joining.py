"""What rows must have in common to be joined."""

from __future__ import annotations

from collections.abc import Sequence


def refuse_unlike(parts: Sequence[tuple[str, str]]) -> None:
    """Raise ValueError for no parts, and for parts of two kinds or on two devices, in words."""
    if not parts:
        raise ValueError("cat needs at least one PackedVectors; got none")
    kinds, devices = (sorted(set(words)) for words in zip(*parts, strict=True))
    if len(kinds) > 1:
        raise ValueError(
            "cat needs one format, dim, frame and estimator, and errors of all rows or of none; "
            f"got {'; '.join(kinds)}"
        )
    if len(devices) > 1:
        raise ValueError(f"cat needs rows on one device; got {', '.join(devices)}")
