"""`minifloat search`: the nearest rows of a database, or all that reach a threshold."""

from __future__ import annotations

from contextlib import closing
from itertools import chain, repeat

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.databases import Asked, Database, opened
from minifloat.cli.errors import InputError
from minifloat.cli.progress import watched
from minifloat.cli.results import Results, results
from minifloat.cli.sources import Source, Wanted
from minifloat.cli.sources import opened as opened_rows

# Queries that are answered at once.
_TOGETHER = 1024


def search(
    queries: on.Queries,
    database: on.Database,
    k: on.K = 10,
    threshold: on.Reach = None,
    originals: on.Originals = None,
    originals_key: on.OriginalsKey = None,
    where: on.Where = None,
    ids: on.DatabaseIds = None,
    key: on.Key = None,
    query_id: on.QueryId = None,
    query_ids: on.QueryIds = None,
    out: on.Out = "-",
    as_json: on.Json = False,
) -> int:
    """Find the nearest rows of queries by cosine.

    With --threshold, all rows that reach it. Results have query, rank (from 1), row or id, and
    score, the best first. Queries are read block by block.
    """
    asked = Asked(
        k=k, threshold=threshold, originals=_originals(originals, originals_key), where=where
    )
    rows = opened_rows(Wanted(path=queries, key=key, id=query_id, ids=query_ids))
    with closing(opened(database, ids)) as there:
        _answer(rows, there, asked, out, as_json)
    return FINE


def _answer(rows: Source, database: Database, asked: Asked, out: str, as_json: bool) -> None:
    """Write what a database has for the rows of a source."""
    if asked.k < 1:
        raise InputError(f"-k must be at least 1; got {asked.k}")
    if rows.dim != database.dim:
        raise InputError(
            f"queries must have the dim of the database, {database.dim}; {rows.name} has {rows.dim}"
        )
    columns = ("query", "rank", database.label, "score")
    with results(out, columns, as_json=as_json) as written:
        _write(rows, database, asked, written)


def _write(rows: Source, database: Database, asked: Asked, written: Results) -> None:
    for block in watched(rows.blocks(_TOGETHER), rows.rows, name="searching", size=len):
        if not len(block):
            return
        found = database.found(block.x, asked)
        names = range(block.first, block.first + len(block)) if block.ids is None else block.ids
        query = chain.from_iterable(map(repeat, names, found.counts))
        rank = chain.from_iterable(range(1, count + 1) for count in found.counts)
        written.write([*query], [*rank], found.names, found.scores)


def _originals(path: str | None, key: str | None) -> object:
    """Return the float rows of a file that can be read in any order."""
    if path is None:
        return None
    found = opened_rows(Wanted(path=path, key=key))
    if found.originals is None:
        raise InputError(
            f"--originals must be .npy, or floats in .safetensors; got {path}, of which "
            "minifloat convert makes one"
        )
    return found.originals
