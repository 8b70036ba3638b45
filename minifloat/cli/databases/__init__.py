"""What is searched: packed files."""

from __future__ import annotations

from minifloat.cli.databases.database import Asked, Database, Found
from minifloat.cli.databases.packed import PackedDatabase

__all__ = ["Asked", "Database", "Found", "opened"]


def opened(path: str, ids: str | None = None) -> Database:
    """Return a database; `ids` are the lines of a text that name the rows of a packed file."""
    return PackedDatabase(path, ids)
