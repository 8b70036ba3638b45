"""Databases of which a rank's files are damaged: run as every rank of a group."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

import minifloat as mf
from minifloat import PackedVectors
from minifloat import distributed as ranks_of
from minifloat.distributed import open_shard
from tests.distributed.databases import rows


def main() -> None:
    """Print what this rank was told of a damaged database, and of what is left of it."""
    folder, whole = Path(sys.argv[1]), Path(sys.argv[2])
    said: dict[str, Any] = {}
    try:
        open_shard(folder)
    except Exception as error:
        said["open"] = f"{type(error).__name__}: {error}"
    q = rows(9, seed=1)
    with open_shard(folder, allow_partial=True) as shard:
        said["missing"] = [[one.rank, one.first, one.end] for one in shard.missing]
        said["reason"] = shard.missing[0].reason
        try:
            ranks_of.search(q, shard, 5)
        except Exception as error:
            said["search"] = f"{type(error).__name__}: {error}"
        packed = PackedVectors.load(whole)
        mask = torch.ones(len(packed), dtype=torch.bool)
        for one in shard.missing:
            mask[one.first : one.end] = False
        scores, found, missing, _ = ranks_of.search(q, shard, 5, allow_partial=True)
        expected = mf.search(q, packed, 5, mask=mask)
        said["equal"] = torch.equal(scores, expected[0]) and torch.equal(found, expected[1])
        said["told"] = [[one.rank, one.first, one.end] for one in missing]
        reached = ranks_of.range_search(q, shard, 0.5, allow_partial=True)
        said["reached"] = torch.equal(reached.rows, mf.range_search(q, packed, 0.5, mask=mask).rows)
    print(json.dumps(said))
