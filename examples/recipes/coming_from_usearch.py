"""Rows of a USearch index are added to an index of minifloat, block by block, under their keys."""

from typing import Any

import numpy as np
from usearch.compiled import ScalarKind
from usearch.index import Index, search

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


if __name__ == "__main__":
    # 20 000 rows around 200 centres.
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 64), np.float32).repeat(100, 0)
    rows += 0.5 * rng.standard_normal(rows.shape, np.float32)
    there = Index(ndim=64, metric="cos", dtype="f32")
    there.add(np.arange(20_000) + 1_000_000, rows)

    here = imported(there, format="e3m4")
    expected = search(rows, rows[:500], 10, exact=True).keys.astype(np.int64) + 1_000_000
    _, found = here.search(rows[:500], 10)
    same = np.mean([len({*a} & {*b}) / 10 for a, b in zip(expected, found, strict=True)])
    print(f"{len(here)} rows; of the ten nearest by USearch's exact search {same:.3f} are found")
