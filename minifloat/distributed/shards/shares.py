"""Which rows of a database belong to which rank: as many bytes to each, one run after the other."""

from __future__ import annotations

from minifloat.index.rows.blocks import SEALED
from minifloat.index.rows.store import UNIT


def bounds(rows: int, ranks: int) -> list[int]:
    """Return where the rows of each rank begin, and where those of the last end: ranks + 1.

    All rows have as many bytes. Of many rows they are whole pages, so that files can be mapped.
    """
    unit = UNIT if rows >= ranks * SEALED else 1
    return [*[rows * rank // ranks // unit * unit for rank in range(ranks)], rows]
