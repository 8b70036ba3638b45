"""One answer from many machines: the ranks of a group of torch.distributed, each with some rows.

A database that outgrows one machine, in files that all reach, is opened by all ranks at once, and
searched by all at once: `docs/performance/scale.md` tells how.
"""

from minifloat.distributed.building.build import build_index
from minifloat.distributed.exchange.errors import RankError
from minifloat.distributed.exchange.ranks import Ranks
from minifloat.distributed.searching.best import Answer, search
from minifloat.distributed.searching.pairs import pairs_above
from minifloat.distributed.searching.reaching import Found, range_search
from minifloat.distributed.shards.opening import open_shard
from minifloat.distributed.shards.shard import Missing, Shard

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
