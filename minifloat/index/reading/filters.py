"""Which rows a condition of SQL leaves: what it may say, and searches among few or many rows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor

from minifloat.index.catalog.catalog import Catalog
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.connection import Connection, within_sqlite
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import numbers
from minifloat.vectors import PackedVectors

Where: TypeAlias = "str | tuple[str, Sequence[Any]] | Filter"

# Of fewer rows than this share a copy is searched, of more the mask.
_FEW = 0.03

# The outer statement and the rows that are there.
_SELECTS = 2

_FUNCTIONS = frozenset(
    [
        "abs",
        "char",
        "coalesce",
        "date",
        "datetime",
        "format",
        "glob",
        "hex",
        "ifnull",
        "iif",
        "instr",
        "json_extract",
        "julianday",
        "length",
        "like",
        "likely",
        "lower",
        "ltrim",
        "max",
        "min",
        "nullif",
        "printf",
        "quote",
        "replace",
        "round",
        "rtrim",
        "sign",
        "strftime",
        "substr",
        "substring",
        "time",
        "trim",
        "typeof",
        "unicode",
        "unixepoch",
        "unlikely",
        "upper",
        "->",
        "->>",
    ]
)


# Texts, quoted names and comments of SQL.
_QUOTED = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|$)""", re.DOTALL
)


class Chosen:
    """Some rows of a snapshot, by their positions, which ascend."""

    def __init__(self, snapshot: Snapshot, positions: Tensor) -> None:
        self.snapshot, self.positions = snapshot, positions
        self.are_few = len(positions) < _FEW * snapshot.count
        self._gathered: dict[torch.device, PackedVectors] = {}
        self._mask: Tensor | None = None

    def gathered(self, device: torch.device) -> PackedVectors:
        """Return few rows on a device, copied when they are first asked for."""
        found = self._gathered.get(device)
        if found is None:
            found = self.snapshot.vectors[self.positions].to(device)
            self._gathered[device] = found
        return found

    def mask(self) -> Tensor:
        """Return which rows of all they are, bool (count,)."""
        if self._mask is None:
            mask = torch.zeros(self.snapshot.count, dtype=torch.bool)
            mask[self.positions] = True
            self._mask = mask
        return self._mask


class Filter:
    """A condition, prepared: its rows are looked for once in each state of an index.

    Made by `Index.filter`, and given to searches as `where`.
    """

    def __init__(self, where: str | tuple[str, Sequence[Any]]) -> None:
        self.text, self.values = _parts(where)
        self._chosen: Chosen | None = None

    def __repr__(self) -> str:
        """Return the condition, and how many rows it leaves where that is known."""
        known = "" if self._chosen is None else f", {len(self._chosen.positions)} rows"
        return f"Filter({self.text!r}{known})"

    def chosen(self, snapshot: Snapshot, catalog: Catalog, columns: Columns) -> Chosen:
        """Return the rows of a snapshot that the condition leaves, which a catalog knows."""
        known = self._chosen
        if known is None or known.snapshot.serial != snapshot.serial:
            rows = rows_where(snapshot, catalog, columns, self.text, self.values)
            positions = snapshot.store.positions(rows, snapshot.count)
            known = self._chosen = Chosen(snapshot, positions[positions >= 0])
        return known


def rows_where(
    snapshot: Snapshot, catalog: Catalog, columns: Columns, text: str, values: Sequence[Any]
) -> Tensor:
    """Return the numbers of rows that are there and meet a condition, ascending.

    ValueError for what is no condition over the columns.
    """
    # A sign keeps SQLite from going through all rows by their numbers. A comment of the condition's
    # ends with its line, and what closes its bracket opens none.
    statement = (
        f"SELECT row FROM (SELECT row, id{columns.names_of_sql()} FROM rows WHERE +row < ? "
        f"AND (removed IS NULL OR removed > ?)) WHERE (\n{text}\n)"
    )
    try:
        # One that SQLite answers from an index alone is no statement to it.
        if re.search(r"\bselect\b", _QUOTED.sub(" ", text), re.IGNORECASE):
            raise sqlite3.DatabaseError("it selects: not authorized")
        with _guarded(catalog.sql):
            found = catalog.all(statement, (snapshot.next_row, snapshot.sees, *values))
    except (sqlite3.Error, sqlite3.Warning) as error:
        known = ", ".join(["id", *columns.types])
        raise ValueError(
            f'where must be a condition of SQL over {known}, such as "id = 7"; got {text!r}: '
            f"{error}"
        ) from error
    return numbers(found).sort().values


def _parts(where: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the text of a condition and its values; TypeError for what is none."""
    if isinstance(where, str):
        return where, ()
    if isinstance(where, tuple) and len(where) == 2 and isinstance(where[0], str):
        text, values = where
        if isinstance(values, (list, tuple)):
            return text, tuple(values)
    raise TypeError(
        'where must be a condition as text, such as "tenant = 7", or one and the values of its '
        f'question marks, ("tenant = ?", [7]), or a filter; got {where!r}'
    )


@contextmanager
def _guarded(sql: Connection) -> Iterator[None]:
    """Have a connection read rows alone, by one statement without another in it."""
    selects = 0

    def allowed(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        nonlocal selects
        if action == sqlite3.SQLITE_SELECT:
            selects += 1
            return sqlite3.SQLITE_OK if selects <= _SELECTS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ and first == "rows":
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    with within_sqlite():
        sql.set_authorizer(allowed)
        try:
            yield
        finally:
            sql.set_authorizer(None)
