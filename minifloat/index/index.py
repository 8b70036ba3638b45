"""An index of vectors by name: in memory, or in a folder that outlives its processes."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import torch

from minifloat.arrays import RowsLike
from minifloat.files.replacing import sync_folder
from minifloat.formats import FormatLike, as_format
from minifloat.frames import Frame
from minifloat.index.catalog.catalog import FILE, Catalog, DamagedError
from minifloat.index.catalog.columns import Columns
from minifloat.index.reader import Reader
from minifloat.index.reading.checking import verify as verify_all
from minifloat.index.reading.filters import Where
from minifloat.index.rows.kinds import Kind
from minifloat.index.state import State
from minifloat.index.writing import changing, committing, erasing
from minifloat.index.writing.merging import merge
from minifloat.index.writing.writer import Writer
from minifloat.vectors import PackedVectors, quantize

# How often an index is opened anew whose files went while it was.
_TRIES = 10


class Index(Reader):
    """Rows by id, with columns, that are added, removed and searched. Made by `create` and `open`.

    Ids are 64-bit integers, texts or UUIDs, of one kind. Changes are seen by searches of this index
    at once, and are kept, and seen by other processes, from `commit` on: all of them or none,
    whatever happens to the process or the machine. One process writes at a time, from its first
    change to `close`; any number read, each the version that it opened, until it calls `refresh`.
    Threads may search while one changes: each search sees all of a change, or nothing.

    As a context manager it commits where its block ends well, undoes where it does not, and closes.
    """

    @staticmethod
    def create(
        path: str | Path | None,
        dim: int,
        format: FormatLike,
        *,
        frame: Frame | None = None,
        columns: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Index:
        """Return a new, empty index in a folder that is new or empty, or in memory for None.

        dim, format and frame are those of its rows, and what else `quantize` takes: scale,
        estimator, rounding, errors. columns: a type for each name: integer, real, text, blob or
        boolean; "integer indexed" makes conditions on it fast.
        """
        none = quantize(torch.zeros(0, dim), format, frame=frame, **how)
        scale = how.get("scale") or ("amax" if frame is None else "cosine")
        rounding, errors = how.get("rounding", "nearest"), none.errors is not None
        kind = Kind(as_format(format), dim, frame, none.estimator, scale, rounding, errors)
        declared = Columns.of(columns)
        if path is None:
            catalog = Catalog(None, create=True)
            catalog.lay_out(kind.facts(), declared)
            state = State(None, catalog)
            changing.adopt(state, Writer(None, catalog, declared))
            return Index(state)
        _make_folder(Path(path), kind, declared)
        return Index.open(path)

    @staticmethod
    def open(
        path: str | Path, *, version: int | None = None, write: bool = False, verify: bool = False
    ) -> Index:
        """Return the index of a folder, as it was committed last, or as a version that is kept.

        With write, it has the right to change it at once, and not from its first change on;
        InUseError names the process that has it. With verify, all files are read and compared with
        their sums first. A version stays as it is and cannot be changed. Versions are kept until
        rows are moved together; LookupError for one that is not.
        """
        folder = Path(path)
        if not (folder / FILE).is_file():
            raise FileNotFoundError(
                f"{path} is no index: there is no {FILE} in it; Index.create makes one"
            )
        if version is not None and write:
            raise ValueError(f"version {version} stays as it is: open without one to write")
        index = Index(_opened(folder, version))
        if verify:
            verify_all(index._state)
        if write:
            changing.writer_of(index._state)
        return index

    def add(self, ids: Any, x: PackedVectors | RowsLike, **columns: Any) -> None:
        """Add rows (n, dim), float or packed as the index's are, under n ids that are not there.

        A column is a value for each id, or one for all. ValueError, which names it, for an id that
        is there, and for a row that is not finite; nothing is added then.
        """
        changing.add(self._state, ids, x, columns)

    def upsert(self, ids: Any, x: PackedVectors | RowsLike, **columns: Any) -> None:
        """Add rows; those whose ids are there take their places."""
        changing.upsert(self._state, ids, x, columns)

    def update(self, ids: Any, x: PackedVectors | RowsLike | None = None, **columns: Any) -> None:
        """Give rows other vectors or columns; what is not given stays. KeyError for other ids."""
        changing.update(self._state, ids, x, columns)

    def remove(self, ids: Any = None, *, where: Where | None = None, missing: str = "error") -> int:
        """Remove rows by ids or by a condition; return how many there were.

        KeyError for an id that is not there, unless missing is "ignore". What was removed stays in
        files until rows are moved together: see `compact` and `purge`.
        """
        return changing.remove(self._state, ids, where, missing)

    def clear(self) -> int:
        """Remove all rows; return how many there were."""
        return changing.clear(self._state)

    def merge(self, other: Index) -> int:
        """Add all rows of another index of the same kind, codes as they are; return how many.

        ValueError for an id that both have; nothing is added then.
        """
        return merge(self._state, other)

    def commit(self) -> int:
        """Keep all changes, and return the version that has them.

        It is on the disk when this returns. Where more than half of many rows were removed, or
        files are many, they are moved together then.
        """
        return committing.commit(self._state)

    def rollback(self) -> None:
        """Undo all changes since the last commit."""
        committing.rollback(self._state)

    def compact(self, *, erase: bool = False) -> None:
        """Commit, and move rows together: answers stay as they are, and older versions end.

        With erase, nothing is left in any file of rows that were removed.
        """
        committing.compact(self._state, erase=erase)

    def purge(self, ids: Any) -> int:
        """Commit, and erase rows, there or removed: no file keeps a byte of their codes or ids.

        Return how many rows had the ids; KeyError for an id that none has. Older versions end.
        TimeoutError where another process reads for long: the log of SQLite has them until then.
        """
        return erasing.purge(self._state, ids)

    def to(self, device: str | torch.device) -> Index:
        """Return the same index, whose searches go over a copy of the rows on a device.

        Rows that are added through either are copied when one searches there.
        """
        return Index(self._state, device)

    def close(self) -> None:
        """Close files and let another process write; warn of changes that are not committed."""
        state = self._state
        if not state.is_open:
            return
        writer = state.writer
        if writer is not None and state.folder is not None and writer.has_changes:
            warnings.warn(
                f"{state.where}: changes that were not committed are undone", stacklevel=2
            )
        state.close()

    def __enter__(self) -> Index:
        """Return the index."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit, or undo after an error, and close."""
        try:
            if kind is None:
                self.commit()
            elif self._state.is_open:
                self.rollback()
        finally:
            self.close()


def _make_folder(path: Path, kind: Kind, columns: Columns) -> None:
    """Make an index in a folder, which is there with all of it or not at all."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} is there and not empty: Index.open opens an index")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be made: there is no folder {path.absolute().parent}"
        )
    new = path.absolute().with_name(f".minifloat-{uuid4().hex}.tmp")
    new.mkdir()
    try:
        catalog = Catalog(new, create=True)
        catalog.lay_out(kind.facts(), columns)
        catalog.truncate_log()
        catalog.close()
        sync_folder(new)
        os.rename(new, path)
        sync_folder(path.absolute().parent)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _opened(folder: Path, number: int | None) -> State:
    for _ in range(_TRIES):
        catalog = Catalog(folder, writes=False)
        try:
            with catalog.transaction("DEFERRED"):
                state = State(folder, catalog, pinned=number is not None)
                version = catalog.version(number)
                if version is None:
                    newest = catalog.version()
                    raise LookupError(
                        f"{folder} keeps versions {catalog.facts()['oldest']} to "
                        f"{newest.version if newest else 0}; got {number}"
                    )
                state.see(catalog, version)
            return state
        except FileNotFoundError:
            # A writer has moved rows, and the next look finds them.
            catalog.close()
        except BaseException:
            catalog.close()
            raise
    raise DamagedError(f"{folder} is damaged: files that its catalog names are not there")
