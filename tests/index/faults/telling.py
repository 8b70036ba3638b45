"""All that can be seen of an index, to be compared, and proof that one can be gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch

from minifloat.index import Index
from tests.index.model import DIM, IDS, row

QUERIES = torch.randn(2, DIM, generator=torch.Generator().manual_seed(99))

# Rows that nothing else adds.
_NEW = 10**6


class Told(NamedTuple):
    """What is seen of one version: ids, columns, what is kept of each row, and answers."""

    ids: list[Any]
    columns: dict[str, list[Any]]
    rows: list[bytes]
    answers: list[Any]


def told(index: Index) -> Told:
    """Return what is seen of an index."""
    parts = list(index.batches(1000))
    ids = [id for part in parts for id in part.ids.tolist()]
    columns = {name: [v for part in parts for v in part.columns[name]] for name in index.columns}
    fields = [part.vectors for part in parts]
    rows = [
        getattr(some, name).contiguous().view(torch.uint8).numpy().tobytes()
        for some in fields
        for name in ("codes", "reciprocal_norms", "coordinates", "errors")
        if getattr(some, name) is not None
    ]
    answers: list[Any] = []
    for where in (None, "tenant = 1"):
        scores, found = index.search(QUERIES, 3, where=where)
        answers += [scores.view(torch.int32).tolist(), found.tolist()]
    if ids:
        got = index.get(ids[-1:])
        answers += [got.ids.tolist(), got.columns, ids[0] in index]
    return Told(ids, columns, [b"".join(rows)], answers)


def told_of(path: Path) -> dict[int, Told]:
    """Return what is seen of each version that is kept, the newest last."""
    with Index.open(path) as index:
        newest, oldest = index.version, index.stats().oldest_version
        found = {newest: told(index)}
    for version in range(newest - 1, oldest - 1, -1):
        with Index.open(path, version=version) as index:
            found[version] = told(index)
    return dict(sorted(found.items()))


def left_over(path: Path) -> list[str]:
    """Return the names of files that are no index's."""
    with Index.open(path) as index, index._state.reading() as (_, catalog):
        known = {name for (name,) in catalog.all("SELECT name FROM blocks")}
    known |= {"writer.lock", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm"}
    return sorted({file.name for file in path.iterdir()} - known)


def refuse_unsound(path: Path) -> None:
    """AssertionError where an index is damaged, or cannot be changed and committed to."""
    with Index.open(path) as index:
        assert index.check() == []
        before, kind = told(index), index.stats().ids
    new = IDS[kind or "integer"](_NEW)
    with Index.open(path, write=True) as index:
        assert told(index) == before
        assert left_over(path) == []
        index.upsert([new], row(_NEW), tenant=1)
        if before.ids:
            index.remove(before.ids[:1])
        index.commit()
        assert index.check() == []
    with Index.open(path, verify=True) as index:
        assert told(index).ids == [id for id in before.ids[1:] if id != new] + [new]
    assert left_over(path) == []
