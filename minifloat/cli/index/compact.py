"""`minifloat index compact`: what was removed from an index leaves its files."""

from __future__ import annotations

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.index import options as own
from minifloat.cli.results import results
from minifloat.index import Index


def compact(index: own.IndexPath, erase: own.Erase = False, as_json: on.Json = False) -> int:
    """Write an index anew without the rows that were removed.

    The result has the rows, the version, and the bytes on the disk before and after.
    """
    with Index.open(index, write=True) as there:
        before = there.stats().bytes_on_disk
        there.compact(erase=erase)
        told = ([len(there)], [there.version], [before], [there.stats().bytes_on_disk])
    columns = ("rows", "version", "bytes_before", "bytes_after")
    with results("-", columns, as_json=as_json) as written:
        written.write(*told)
    return FINE
