"""`minifloat index stats`: how large an index is, and of what."""

from __future__ import annotations

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.facts import index_facts, print_facts
from minifloat.cli.index import options as own


def stats(index: own.IndexPath, as_json: on.JsonFacts = False) -> int:
    """Tell how many rows an index has, how they are stored, and how much was removed."""
    print_facts(index_facts(index), as_json=as_json)
    return FINE
