"""Files that others have written become an index: a catalog of rows' ids, and then of the files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from minifloat.files.headers import opened
from minifloat.files.replacing import sync_folder
from minifloat.index.catalog.catalog import FILE, Catalog, Version, sum_of_rows
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.errors import told
from minifloat.index.catalog.ids import Ids, shown
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.store import UNIT, check_layout, fields_of
from minifloat.index.writing.committing import FILES

# What SQLite does between two looks at whether it should go on.
_STEPS = 10_000

_TWICE = "SELECT id, min(row), max(row) FROM rows GROUP BY id HAVING count(*) > 1 LIMIT 1"


def cut(rows: int) -> list[tuple[int, int]]:
    """Return from which row to which each file has rows, of so many; of the last it may be few.

    Files are few enough that commits to come need not move rows together for a while, and else so
    small that many can write them.
    """
    files = FILES // 2 + rows // blocks.MOST
    most = -(-rows // files // UNIT) * UNIT
    most = min(blocks.MOST, max(blocks.SEALED, most))
    found, at = [], 0
    while rows - at >= blocks.SEALED:
        end = at + min(most, (rows - at) // UNIT * UNIT)
        found.append((at, end))
        at = end
    return [*found, (at, rows)] if at < rows else found


class TwiceError(ValueError):
    """An id of two rows. rows: their numbers."""

    def __init__(self, id: str, rows: tuple[int, int]) -> None:
        super().__init__(f"ids must differ; got {id} twice")
        self.id, self.rows = id, rows


def name_rows(
    folder: Path, kind: Kind, id_kind: str, ids: Iterable[Ids], is_over: Callable[[], bool]
) -> None:
    """Make the catalog of rows that are numbered from 0, with their ids, in a folder that is there.

    It is there with all of them or not at all. TwiceError for an id that two rows have. Ends with
    an error soon after it is over.
    """
    new = folder / "ids"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    catalog = Catalog(new, create=True)
    try:
        catalog.lay_out(kind.facts(), Columns.of(None))
        catalog.sql.set_progress_handler(is_over, _STEPS)
        _fill(catalog, id_kind, ids)
        catalog.truncate_log()
    finally:
        catalog.close()
    os.replace(new / FILE, folder / FILE)
    shutil.rmtree(new)
    sync_folder(folder)


def has_names(folder: Path) -> bool:
    """Return whether `name_rows` has ended in a folder."""
    return (folder / FILE).exists()


def adopt(folder: Path, kind: Kind, files: Iterable[tuple[int, str]]) -> None:
    """Have the catalog of named rows know where they are: in files, of so many rows each in turn.

    What is too little for a file, which the last may be, goes into the catalog. All of it is the
    first version, and nothing is left of other files of rows.
    """
    catalog, at, sealed, parts = Catalog(folder), 0, [], []
    try:
        for count, name in files:
            if count < blocks.SEALED:
                fields = fields_of(folder / name, kind, count)
                parts.append(blocks.as_part(kind, at, fields))
            else:
                with opened(folder / name) as (_, layout):
                    found = layout.format.name, layout.dim, layout.rows
                    check_layout(folder / name, *found, kind, count)
                sealed.append((at, count, name))
            at += count
        with catalog.transaction():
            for table in ("blocks", "parts", "versions WHERE version > 0"):
                catalog.sql.run(f"DELETE FROM {table}")
            catalog.sql.run_many("INSERT INTO blocks VALUES (?, ?, ?)", sealed)
            catalog.sql.run_many("INSERT INTO parts VALUES (?, ?, ?, ?)", parts)
            if at:
                catalog.write_version(Version(1, at, at, 0, 0, time.time()))
        catalog.truncate_log()
    finally:
        catalog.close()
    blocks.sweep(folder, [name for _, _, name in sealed])


def _fill(catalog: Catalog, id_kind: str, ids: Iterable[Ids]) -> None:
    ((unique,),) = catalog.all("SELECT sql FROM sqlite_master WHERE name = 'ids'")
    # To sort all ids once takes less than to find the place of each.
    with catalog.transaction():
        catalog.sql.run("DROP INDEX ids")
    first = 0
    for some in ids:
        rows = [(first + at, id, None) for at, id in enumerate(some.values)]
        # The log is moved into its place between transactions, and stays small.
        with catalog.transaction():
            catalog.sql.run_many("INSERT INTO rows VALUES (?, ?, ?)", rows)
            given = first, len(rows), sum_of_rows(rows)
            catalog.sql.run("INSERT INTO sums VALUES (?, ?, ?)", given)
        first += len(rows)
    try:
        with catalog.transaction():
            catalog.sql.run(unique)
            if first:
                catalog.write_facts({"ids": id_kind})
    except sqlite3.IntegrityError as error:
        with told(catalog.path):
            ((id, one, other),) = catalog.all(_TWICE)
        raise TwiceError(shown(id_kind, id), (one, other)) from error
