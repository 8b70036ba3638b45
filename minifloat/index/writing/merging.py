"""Rows of one index added to another."""

from __future__ import annotations

from typing import Any

from minifloat.index.reader import Reader
from minifloat.index.state import State
from minifloat.index.writing.changing import append_all

# Rows that are copied at once.
_AT_ONCE = 1 << 16


def merge(state: State, other: Reader) -> int:
    """Add all rows of another index, or none; return how many."""
    if not isinstance(other, Reader):
        raise TypeError(f"merge takes an Index; got {type(other).__name__}")
    if other.columns.keys() != state.columns.types.keys():
        raise ValueError(
            f"both must have the same columns; got {list(state.columns.types)} and "
            f"{list(other.columns)}"
        )
    parts: Any = ((batch.ids, batch.vectors, batch.columns) for batch in other.batches(_AT_ONCE))
    return append_all(state, parts)
