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
