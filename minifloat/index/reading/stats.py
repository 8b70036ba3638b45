"""What an index holds, and where."""

from __future__ import annotations

from dataclasses import dataclass

from minifloat.index.catalog.catalog import FILE
from minifloat.index.state import State


@dataclass(frozen=True)
class Stats:
    """Numbers of an index.

    rows: those that are there. removed: those that were removed and whose codes, ids and columns
    are still kept, in files and in memory, until rows are moved together; removed_since: when the
    first of them was removed at the latest, in seconds since 1970, or None. removed_share: of all
    places those that have no row.
    bytes_per_row: codes and what is kept beside them in memory. version: the last that was
    committed; oldest_version: the first that can be opened. files, bytes_on_disk, log_bytes: block
    files, all files, and the log of SQLite, in which removed rows may be until it is emptied.
    """

    rows: int
    dim: int
    format: str
    frame: str | None
    ids: str | None
    columns: dict[str, str]
    version: int
    oldest_version: int
    uncommitted: bool
    removed: int
    removed_share: float
    removed_since: float | None
    bytes_per_row: int
    files: int
    bytes_on_disk: int
    log_bytes: int


def stats_of(state: State) -> Stats:
    """Return those of an index."""
    with state.reading() as (snapshot, catalog):
        facts = catalog.facts()
        (files,) = catalog.all("SELECT count(*) FROM blocks")[0]
        # Of those that were erased no more than their place is there.
        ((removed, first),) = catalog.all(
            "SELECT count(*), min(removed) FROM rows WHERE removed IS NOT NULL AND id IS NOT NULL"
        )
        ((since,),) = catalog.all("SELECT min(at) FROM versions WHERE version >= ?", (first,))
        has_changes = state.writer is not None and state.writer.has_changes
    paths = [] if state.folder is None else list(state.folder.iterdir())
    sizes = {path.name: path.stat().st_size for path in paths}
    frame = state.kind.frame
    widths = [of_each[:1].nbytes for of_each in snapshot.store.fields.values()]
    return Stats(
        rows=len(snapshot),
        dim=state.kind.dim,
        format=state.kind.format.name,
        frame=None if frame is None else frame.digest,
        ids=state.id_kind,
        columns=state.columns.declared(),
        version=snapshot.version,
        oldest_version=int(facts["oldest"]),
        uncommitted=has_changes,
        removed=removed,
        removed_share=snapshot.removed / max(1, snapshot.count),
        removed_since=since,
        bytes_per_row=sum(widths) + (snapshot.alive is not None),
        files=files,
        bytes_on_disk=sum(sizes.values()),
        log_bytes=sizes.get(f"{FILE}-wal", 0),
    )
