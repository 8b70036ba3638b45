"""`minifloat duplicates`: all pairs of a database that reach a threshold."""

from __future__ import annotations

from contextlib import closing

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.databases import opened
from minifloat.cli.progress import watched
from minifloat.cli.results import results

# As many rows meet all others before their pairs are written.
_TOGETHER = 4096


def duplicates(
    database: on.Database,
    threshold: on.Threshold,
    ids: on.DatabaseIds = None,
    out: on.Out = "-",
    as_json: on.Json = False,
) -> int:
    """Find all pairs of rows that reach a threshold.

    Results have both rows or ids and the score, written as they are found, in ascending order of
    rows.
    """
    with closing(opened(database, ids)) as rows:
        columns = (f"{rows.label}_a", f"{rows.label}_b", "score")
        pairs = rows.pairs(threshold)
        with results(out, columns, as_json=as_json) as written:
            for found in watched(pairs, len(rows), name="comparing", size=lambda _: _TOGETHER):
                written.write(*found)
                written.file.flush()
    return FINE
