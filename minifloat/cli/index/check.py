"""`minifloat index check`: an index is proven, or what is damaged is told."""

from __future__ import annotations

from minifloat.cli.commands import FINE, WRONG
from minifloat.cli.index import options as own
from minifloat.index import Index


def check(index: own.IndexPath) -> int:
    """Read a whole index, and tell what is damaged, a line each.

    Exit code 1 where anything is.
    """
    with Index.open(index) as there:
        found = there.check()
    for line in found:
        print(line)
    return WRONG if found else FINE
