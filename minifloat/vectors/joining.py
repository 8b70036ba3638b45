"""What rows must have in common to be joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minifloat.vectors.row_facts import RowFacts


def refuse_unlike(parts: Sequence[Any], vectors: type) -> None:
    """Raise ValueError for no parts, and for parts of two kinds or on two devices, in words.

    And TypeError for a part that is of another type than packed vectors are.
    """
    for part in parts:
        if not isinstance(part, vectors):
            raise TypeError(f"cat takes {vectors.__name__}; got {type(part).__name__}")
    if not parts:
        raise ValueError("cat needs at least one PackedVectors; got none")
    kinds = sorted({str(RowFacts.of(part._stored)) for part in parts})
    devices = sorted({str(part.device) for part in parts})
    if len(kinds) > 1:
        raise ValueError(
            "cat needs one format, dim, frame and estimator, and errors of all rows or of none; "
            f"got {'; '.join(kinds)}"
        )
    if len(devices) > 1:
        raise ValueError(f"cat needs rows on one device; got {', '.join(devices)}")
