"""What is searched: packed files and indexes."""

from __future__ import annotations

import os

from minifloat.cli.databases.database import Asked, Database, Found
from minifloat.cli.databases.indexes import IndexDatabase
from minifloat.cli.databases.packed import PackedDatabase
from minifloat.cli.errors import InputError

__all__ = ["Asked", "Database", "Found", "is_index", "opened"]


def is_index(path: str) -> bool:
    """Return whether a path is that of an index, which is a folder."""
    return os.path.isdir(path)


def opened(path: str, ids: str | None = None) -> Database:
    """Return a database; `ids` are the lines of a text that name the rows of a packed file."""
    if not is_index(path):
        return PackedDatabase(path, ids)
    if ids is not None:
        raise InputError(f"--ids is of a packed file; the index {path} has ids of its own")
    return IndexDatabase(path)
