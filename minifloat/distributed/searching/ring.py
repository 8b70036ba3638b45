"""Who compares whose rows, so that each pair of rows meets on one rank and all have as much to do.

Ranks are in a ring, and each gets the rows of the half before it.
"""

from __future__ import annotations

from typing import NamedTuple

from minifloat.distributed.shards.shard import Shard


class Meeting(NamedTuple):
    """What rows of a source a rank is to compare with its own: in both cases from one to another.

    theirs: by their numbers among all; own: by their places on this rank.
    """

    theirs: tuple[int, int]
    own: tuple[int, int]


def sources(rank: int, ranks: int) -> list[int]:
    """Return of which ranks one gets rows: itself and the half before it, in a ring."""
    return [(rank - away) % ranks for away in range(ranks // 2 + 1)]


def meetings(shard: Shard) -> dict[int, Meeting]:
    """Return what this rank compares with its own rows, by the ranks that have it.

    Of an even number of ranks those opposite each other both get the other's rows. The one with the
    lower rows takes the other's second half, and that one all with its own first half.
    """
    own, count = shard.rank, shard.ranks.count
    found = {}
    for source in sources(own, count):
        theirs, here = (shard.bounds[source], shard.bounds[source + 1]), (0, len(shard))
        if source != own and 2 * ((own - source) % count) == count:
            higher = max(source, own)
            middle = (shard.bounds[higher] + shard.bounds[higher + 1]) // 2
            if source == higher:
                theirs = middle, theirs[1]
            else:
                here = 0, middle - shard.first
        found[source] = Meeting(theirs, here)
    return found
