"""What is kept of rows laid row by row, each so many bytes, and taken apart again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from minifloat.files.mapping import refuse_changes
from minifloat.vectors.row_facts import RowFacts

# Bytes between two looks at signals and a mapped file, some hundredths of a second apart.
_AT_ONCE = 1 << 26

Bytes = NDArray[np.uint8]


def laid(fields: Mapping[str, Tensor], facts: RowFacts) -> Bytes:
    """Return the bytes of rows (rows, bytes of one)."""
    rows = len(fields["codes"])
    new = np.empty(rows, facts.dtype)
    step = max(1, _AT_ONCE // facts.row_bytes)
    for first in range(0, rows, step):
        refuse_changes(*fields.values())
        some = slice(first, first + step)
        for name, field in fields.items():
            new[name][some] = field[some].numpy(force=True)
    return new.view(np.uint8).reshape(rows, facts.row_bytes)


def take_apart(rows: Bytes, facts: RowFacts, fields: Mapping[str, Tensor], first: int) -> None:
    """Write the bytes of rows into fields in main memory, from a row on."""
    given = rows.reshape(-1).view(facts.dtype)
    step = max(1, _AT_ONCE // facts.row_bytes)
    for begin in range(0, len(given), step):
        some = given[begin : begin + step]
        for name, field in fields.items():
            field.numpy()[first + begin : first + begin + len(some)] = some[name]
