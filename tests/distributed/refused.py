"""Calls that ranks refuse, and what each says: run as every rank of a group."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minifloat import distributed as ranks_of
from minifloat.distributed import open_shard
from tests.distributed.databases import ROWS, rows


def main() -> None:
    """Print, as JSON, what each call raised; all are made on one shard, which stays good."""
    folder = Path(sys.argv[1])
    q = rows(5, seed=1)
    said: dict[str, Any] = {}
    with open_shard(folder / "many") as shard:
        rank = shard.rank
        calls: dict[str, Callable[[], Any]] = {
            "k": lambda: ranks_of.search(q, shard, ROWS + 1),
            "k below 1": lambda: ranks_of.search(q, shard, 0),
            "dim": lambda: ranks_of.search(q[:, :3], shard, 2),
            "others": lambda: ranks_of.search(q[rank:], shard, 2),
            "none": lambda: ranks_of.search(None, shard, 2, src=1),
            "src": lambda: ranks_of.search(q, shard, 2, src=7),
            "mask": lambda: ranks_of.search(q, shard, 2, mask=torch.ones(3, dtype=torch.bool)),
            "ranges": lambda: ranks_of.search(q, shard, 2, ranges=[(5, 3)]),
            "where": lambda: ranks_of.search(q, shard, 2, where="day = 1"),
            "rescore": lambda: ranks_of.search(q, shard, 2, rescore=5),
            "limit": lambda: ranks_of.range_search(q, shard, -1.0, limit=3),
            "order": lambda: ranks_of.range_search(q, shard, 0.5, order="id"),  # type: ignore[arg-type]
        }
        for name, call in calls.items():
            said[name] = _said(call)
        said["good after all"] = len(ranks_of.search(q, shard, 2).rows)
    said["closed"] = _said(lambda: ranks_of.search(q, shard, 2))
    with open_shard(folder / "index-numbers") as shard:
        more: dict[str, Callable[[], Any]] = {
            "condition": lambda: ranks_of.search(q, shard, 2, where="nonsense("),
            "id": lambda: ranks_of.search(q, shard, 2, only=[1, -7]),
            "mask of an index": lambda: ranks_of.search(q, shard, 2, mask=torch.ones(3)),
        }
        for name, call in more.items():
            said[name] = _said(call)
    for name, uri, how in (
        ("nothing there", folder / "absent", {}),
        ("no files", folder / "empty", {}),
        ("versions of files", folder / "many", {"version": 3}),
        ("version", folder / "index-numbers", {"version": 99}),
        ("timeout", folder / "many", {"timeout": 0}),
    ):
        said[name] = _said(lambda uri=uri, how=how: open_shard(uri, **how))  # type: ignore[misc]
    print(json.dumps(said))


def _said(call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"
