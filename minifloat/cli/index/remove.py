"""`minifloat index remove` and `purge`: rows leave an index, for good or until it is compacted."""

from __future__ import annotations

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.databases.indexes import ids_like
from minifloat.cli.errors import InputError
from minifloat.cli.index import options as own
from minifloat.cli.results import results
from minifloat.cli.sources import id_lines
from minifloat.index import Index


def remove(
    index: own.IndexPath,
    id: own.GivenIds = None,
    ids: own.IdLines = None,
    where: on.Where = None,
    ignore_missing: own.IgnoreMissing = False,
    as_json: on.Json = False,
) -> int:
    """Remove rows by their ids or by their columns, all or none.

    The result has how many rows were removed, how many there are, and the version. Their bytes stay
    in files until the index is compacted; purge erases them.
    """
    given = _given(id, ids)
    if (not given) == (where is None):
        raise InputError("rows to remove are named by ids or by --where, one of both")
    with Index.open(index, write=True) as there:
        some = None if where is not None else ids_like(there, given)
        missing = "ignore" if ignore_missing else "error"
        removed = there.remove(some, where=where, missing=missing)
    _tell("removed", removed, there, as_json)
    return FINE


def purge(
    index: own.IndexPath,
    id: own.GivenIds = None,
    ids: own.IdLines = None,
    as_json: on.Json = False,
) -> int:
    """Remove rows and erase their bytes from all files.

    The result has how many rows were purged, how many there are, and the version.
    """
    given = _given(id, ids)
    if not given:
        raise InputError("ids to purge must be given, or --ids, a text with one a line")
    with Index.open(index, write=True) as there:
        purged = there.purge(ids_like(there, given))
    _tell("purged", purged, there, as_json)
    return FINE


def _given(id: list[str] | None, ids: str | None) -> list[str]:
    return [*(id or ()), *(id_lines(ids) if ids is not None else ())]


def _tell(what: str, count: int, index: Index, as_json: bool) -> None:
    with results("-", (what, "rows", "version"), as_json=as_json) as written:
        written.write([count], [len(index)], [index.version])
