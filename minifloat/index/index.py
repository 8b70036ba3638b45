"""An index of vectors by name: in memory, or in a folder that outlives its processes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from minifloat.arrays import RowsLike
from minifloat.formats import FormatLike
from minifloat.frames import Frame
from minifloat.index import exchange
from minifloat.index.catalog.catalog import Catalog
from minifloat.index.catalog.columns import Columns
from minifloat.index.folders import make_folder, opened
from minifloat.index.reader import Reader
from minifloat.index.reading.checking import verify as verify_all
from minifloat.index.reading.filters import Where
from minifloat.index.rows.kinds import Kind
from minifloat.index.state import State
from minifloat.index.writing import changing, committing, erasing, transactions
from minifloat.index.writing.merging import merge
from minifloat.index.writing.writer import Writer
from minifloat.vectors import PackedVectors


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
        kind = Kind.of(dim, format, frame, how)
        declared = Columns.of(columns)
        if path is None:
            catalog = Catalog(None, create=True)
            catalog.lay_out(kind.facts(), declared)
            state = State(None, catalog)
            transactions.adopt(state, Writer(None, catalog, declared))
            return Index(state)
        make_folder(Path(path), kind, declared)
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

        What `save` wrote, a data set of Lance by its URI or folder, is read into an index in
        memory. Needs `minifloat[lance]`.
        """
        if version is not None and write:
            raise ValueError(f"version {version} stays as it is: open without one to write")
        if exchange.is_lance(path):
            return _filled(exchange.of_lance(path, version, None), None)
        index = Index(opened(Path(path), version))
        if verify:
            verify_all(index._state)
        if write:
            transactions.writer_of(index._state)
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

    def to_arrow(self) -> Any:
        """Return all rows as a `pyarrow.Table`, as `from_arrow` takes it: ids, vectors, columns.

        Needs `minifloat[arrow]`.
        """
        return exchange.to_arrow(self)

    def save(self, uri: str | Path, *, overwrite: bool = False, storage_options: Any = None) -> int:
        """Write all rows into a data set of Lance, by its URI, such as s3://..., or its folder.

        Return its version. FileExistsError for one that is there, unless it is overwritten, which
        makes a newer version of it; storage_options are pylance's. Needs `minifloat[lance]`.
        """
        return exchange.to_lance(self, uri, overwrite, storage_options)

    @staticmethod
    def from_arrow(
        table: Any,
        *,
        path: str | Path | None = None,
        id: str = "id",
        vector: str = "vector",
        **told: Any,
    ) -> Index:
        """Return a new index of a table of Arrow: a column of ids, one of vectors, and all others.

        Vectors are as `PackedVectors.to_arrow` makes them; where a tool has dropped their type,
        format, dim and frame say what their bytes are, as for `PackedVectors.from_arrow`. Ids are
        int64, text, or UUIDs of 16 bytes. Needs `minifloat[arrow]`.
        """
        return _filled(exchange.of_arrow(table, id, vector, told), path)

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


def _filled(table: exchange.Table, path: str | Path | None) -> Index:
    """Return a new index of rows that are packed."""
    vectors = table.vectors
    index = Index.create(
        path,
        vectors.dim,
        vectors.format,
        frame=vectors.frame,
        columns=table.declared,
        estimator=vectors.estimator,
        errors=vectors.errors is not None,
    )
    index.add(table.ids, vectors, **table.columns)
    index.commit()
    return index
