"""Folders of indexes: made whole or not at all, and opened as they were committed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

from minifloat.files.replacing import sync_folder
from minifloat.index.catalog.catalog import FILE, Catalog, Version
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.errors import DamagedError, as_written
from minifloat.index.rows.kinds import Kind
from minifloat.index.state import State

# How often an index is opened anew whose files went while it was.
_TRIES = 10


def make_folder(path: Path, kind: Kind, columns: Columns) -> None:
    """Make an index in a folder, which is there with all of it or not at all."""
    refuse_taken(path)
    new = path.absolute().with_name(f".minifloat-{uuid4().hex}.tmp")
    new.mkdir()
    try:
        catalog = Catalog(new, create=True)
        catalog.lay_out(kind.facts(), columns)
        catalog.truncate_log()
        catalog.close()
        put(new, path)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def refuse_taken(path: Path) -> None:
    """Raise OSError where no index can be made, for want of a folder or because one is there."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} is there and not empty: Index.open opens an index")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be made: there is no folder {path.absolute().parent}"
        )


def put(new: Path, path: Path) -> None:
    """Have an index, whose files are on the disk, be where it is looked for."""
    sync_folder(new)
    os.rename(new, path)
    sync_folder(path.absolute().parent)


def refuse_other_folder(folder: Path) -> None:
    """Raise FileNotFoundError for a folder that is no index."""
    if not (folder / FILE).is_file():
        raise FileNotFoundError(
            f"{folder} is no index: there is no {FILE} in it; Index.create makes one"
        )


def begun(
    folder: Path, catalog: Catalog, number: int | None, *, pinned: bool
) -> tuple[State, Version]:
    """Return an index that sees nothing yet, and the version that it is to see."""
    state = State(folder, catalog, pinned=pinned)
    catalog.refuse_other_tables(state.columns)
    version = catalog.version(number)
    if version is None:
        newest = catalog.version()
        if newest is None:
            raise DamagedError(f"{catalog.path} is damaged: it has no version")
        raise LookupError(
            f"{folder} keeps versions {catalog.facts()['oldest']} to {newest.version}; got {number}"
        )
    return state, version


def opened(folder: Path, number: int | None) -> State:
    """Return an index as it was committed last, or as a version that is kept."""
    refuse_other_folder(folder)
    for _ in range(_TRIES):
        catalog = Catalog(folder, writes=False)
        try:
            with as_written(catalog.path), catalog.transaction("DEFERRED"):
                state, version = begun(folder, catalog, number, pinned=number is not None)
                state.see(catalog, version)
            return state
        except FileNotFoundError:
            # A writer has moved rows, and the next look finds them.
            catalog.close()
        except BaseException:
            catalog.close()
            raise
    raise DamagedError(f"{folder} is damaged: files that its catalog names are not there")
