"""Rows of a USearch index are added to an index of minifloat, block by block, under their keys."""

from typing import Any

import numpy as np
from usearch.compiled import ScalarKind
from usearch.index import Index

import minifloat as mf

BLOCK = 65_536


def imported(source: Index, path: str | None = None, **how: Any) -> mf.Index:
    """Return a new index, in a folder or in memory, with all rows of one of USearch."""
    if source.dtype == ScalarKind.B1:
        raise ValueError("rows must be numbers; got an index of bits, which have no cosines")
    if len(source) and int(np.asarray(source.keys).max()) >= 2**63:
        raise ValueError("keys must be below 2^63, for ids have a sign")
    index = mf.Index.create(path, source.ndim, how.pop("format", "e3m4"), **how)
    # They have an order of their own there.
    keys = np.sort(np.asarray(source.keys)).astype(np.int64)
    # As they are kept, floats of 8 and 6 bits would come as bytes.
    for first in range(0, len(keys), BLOCK):
        some = keys[first : first + BLOCK]
        index.add(some, np.asarray(source.get(some.astype(np.uint64), "f32")))
    index.commit()
    return index
