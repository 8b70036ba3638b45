"""One answer from many machines: the ranks of a group of torch.distributed, each with some rows.

A database that outgrows one machine, in files that all reach, is opened by all ranks at once, and
searched by all at once: `docs/scale.md` tells how.
"""

from minifloat.distributed.building import build_index
from minifloat.distributed.errors import RankError
from minifloat.distributed.opening import open_shard
from minifloat.distributed.pairs import pairs_above
from minifloat.distributed.ranks import Ranks
from minifloat.distributed.reaching import Found, range_search
from minifloat.distributed.searching import Answer, search
from minifloat.distributed.shard import Missing, Shard

__all__ = [
    "Answer",
    "Found",
    "Missing",
    "RankError",
    "Ranks",
    "Shard",
    "build_index",
    "open_shard",
    "pairs_above",
    "range_search",
    "search",
]
