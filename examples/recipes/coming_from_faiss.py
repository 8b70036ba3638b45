"""Rows of a FAISS index are added to an index of minifloat, block by block, under their ids."""

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np

import minifloat as mf

BLOCK = 65_536
# FAISS's types do not name it.
HASHED = vars(faiss)["DirectMap"].Hashtable


def rows_of(index: Any) -> Iterator[tuple[Any, Any]]:
    """Yield ids and float rows of an index; rows of SQ and PQ are what their codes decode to."""
    index = faiss.downcast_index(index)
    ids = np.arange(index.ntotal)
    mapped = isinstance(index, faiss.IndexIDMap)
    if mapped:
        ids = faiss.vector_to_array(index.id_map)
        index = faiss.downcast_index(index.index)
    inverted: Any = faiss.try_extract_index_ivf(index)
    if inverted is None:
        for first in range(0, index.ntotal, BLOCK):
            count = min(BLOCK, index.ntotal - first)
            yield ids[first : first + count], index.reconstruct_n(first, count)
        return
    # Ids in lists need not be 0, 1, 2 ...: reconstruct_n leaves out all others without an error.
    lists = inverted.invlists
    keys = [
        faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)).copy()
        for i in range(inverted.nlist)
        if lists.list_size(i)
    ]
    kept = np.sort(np.concatenate(keys)) if keys else ids
    before = inverted.direct_map.type
    inverted.set_direct_map_type(HASHED)
    for first in range(0, len(kept), BLOCK):
        some = kept[first : first + BLOCK]
        yield ids[some] if mapped else some, index.reconstruct_batch(some)
    inverted.set_direct_map_type(before)


def imported(source: Any, path: str | None = None, **how: Any) -> mf.Index:
    """Return a new index, in a folder or in memory, with all rows of a FAISS index."""
    index = mf.Index.create(path, source.d, how.pop("format", "e3m4"), **how)
    for ids, rows in rows_of(source):
        index.add(ids, rows)
    index.commit()
    return index


if __name__ == "__main__":
    # 20 000 rows around 200 centres, at length 1, so that inner products are cosines.
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 64), np.float32).repeat(100, 0)
    rows += 0.5 * rng.standard_normal(rows.shape, np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    there = faiss.IndexIDMap2(faiss.IndexFlatIP(64))
    there.add_with_ids(rows, np.arange(20_000) + 1_000_000)

    here = imported(there, format="e3m4")
    _, expected = there.search(rows[:500], 10)
    _, found = here.search(rows[:500], 10)
    same = np.mean([len({*a} & {*b}) / 10 for a, b in zip(expected, found, strict=True)])
    print(f"{len(here)} rows; of the ten nearest in FAISS {same:.3f} are found here")
