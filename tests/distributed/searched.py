"""Searches by ranks, each held against the same in one process: run as every rank of a group."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import minifloat as mf
from minifloat import Index, PackedVectors
from minifloat import distributed as ranks_of
from minifloat.distributed import Ranks, open_shard
from minifloat.scoring.reaching import Order
from tests.distributed.databases import ROWS, rows

CHECKS = 0


def main() -> None:
    """Check the databases of a folder; print how many checks there were."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    x = torch.from_numpy(np.load(folder / "rows.npy", mmap_mode="c"))
    packed = PackedVectors.load(folder / "one.safetensors")
    for uri in (folder / "one.safetensors", folder / "many"):
        with open_shard(uri) as shard:
            _check_files(shard, packed, x)
    with open_shard([folder / "one.safetensors"], verify=False) as shard:
        _check_empty_shares(shard, packed)
    for path in sorted(folder.glob("index-*")):
        with open_shard(path) as shard, Index.open(path) as index:
            _check_index(shard, index, x)
    print(CHECKS)


def same(got: Any, expected: Any, what: str) -> None:
    """Fail unless arrays or tensors are equal to the bit."""
    global CHECKS
    CHECKS += 1
    for one, other in zip(got, expected, strict=True):
        a, b = np.asarray(one), np.asarray(other)
        is_float = a.dtype.kind == "f"
        assert (a.shape, a.dtype) == (b.shape, b.dtype), what
        assert np.array_equal(a, b, equal_nan=is_float), what
        assert isinstance(one, torch.Tensor) == isinstance(other, torch.Tensor), what


def _check_files(shard: Any, packed: PackedVectors, x: Any) -> None:
    q = rows(33, seed=1)
    assert shard.total == ROWS
    assert len(shard) == shard.end - shard.first
    mask = torch.rand(ROWS, generator=torch.Generator().manual_seed(2)) < 0.3
    few = torch.zeros(ROWS, dtype=torch.bool)
    few[[5, 6, ROWS - 1]] = True
    ranges = [(3, 1000), (1200, 2900)]
    for k in (1, 10, 1500):
        same(ranks_of.search(q, shard, k)[:2], mf.search(q, packed, k), f"k {k}")
    same(ranks_of.search(q.numpy(), shard, 3)[:2], mf.search(q.numpy(), packed, 3), "arrays")
    some: dict[str, Any] = {"mask": mask[shard.first : shard.end], "ranges": ranges}
    whole: dict[str, Any] = {"mask": mask, "ranges": ranges}
    same(ranks_of.search(q, shard, 7, **some)[:2], mf.search(q, packed, 7, **whole), "mask")
    own = few[shard.first : shard.end]
    same(ranks_of.search(q, shard, 3, mask=own)[:2], mf.search(q, packed, 3, mask=few), "few")
    more: dict[str, Any]
    for more in ({}, {"rescore": 25}):
        given: dict[str, Any] = {"originals": x, **more}
        expected = mf.search(q, packed, 5, return_stats=True, **given)
        got = ranks_of.search(q, shard, 5, **given)
        same(got[:2], expected[:2], f"originals {more}")
    got = ranks_of.search(q, shard, 5, originals=x, **some)
    same(got[:2], mf.search(q, packed, 5, originals=x, **whole), "originals with a mask")
    same(ranks_of.search(packed[9:20], shard, 4)[:2], mf.search(packed[9:20], packed, 4), "packed")
    page = ranks_of.search(q, shard, 5, offset=4)[:2]
    same(page, [part[:, 4:] for part in mf.search(q, packed, 9)], "offset")
    same(ranks_of.search(q[:0], shard, 5)[:2], mf.search(q[:0], packed, 5), "no queries")
    many = rows(2100, seed=3)
    same(ranks_of.search(many, shard, 9)[:2], mf.search(many, packed, 9), "batches")
    _check_who(shard, packed, q)
    orders: tuple[Order, ...] = ("row", "score")
    for order in orders:
        found = ranks_of.range_search(q, shard, 0.5, order=order)
        same(found[:3], mf.range_search(q, packed, 0.5, order=order), f"reached by {order}")
    found = ranks_of.range_search(q, shard, 0.5, originals=x, **some)
    same(found[:3], mf.range_search(q, packed, 0.5, originals=x, **whole), "reached originals")
    levels = torch.linspace(0.3, 0.7, len(q))
    same(ranks_of.range_search(q, shard, levels)[:3], mf.range_search(q, packed, levels), "levels")
    _check_pairs(shard, mf.pairs_above(packed, 0.7))


def _check_who(shard: Any, packed: PackedVectors, q: Any) -> None:
    """Check searches whose queries one rank has, or whose answer one rank gets."""
    last = shard.ranks.count - 1
    expected = mf.search(q, packed, 6)
    own = q if shard.rank == last else None
    same(ranks_of.search(own, shard, 6, src=last)[:2], expected, "src")
    got = ranks_of.search(q, shard, 6, dst=last)
    assert (got.scores is None) == (shard.rank != last)
    if got.scores is not None:
        same(got[:2], expected, "dst")
    got = ranks_of.search(own, shard, 6, src=last, dst=0)
    assert (got.rows is None) == (shard.rank != 0)


def _check_empty_shares(shard: Any, packed: PackedVectors) -> None:
    """Check rows of which all ranks but one have none."""
    mask = torch.zeros(ROWS, dtype=torch.bool)
    mask[:3] = True
    q = rows(4, seed=4)
    own = mask[shard.first : shard.end]
    same(ranks_of.search(q, shard, 2, mask=own)[:2], mf.search(q, packed, 2, mask=mask), "empty")


def _check_index(shard: Any, index: Index, x: Any) -> None:
    q = rows(17, seed=5)
    assert shard.version == index.version
    same(ranks_of.search(q, shard, 5)[:2], index.search(q, 5), "index")
    for where in ("day = 3", ("day = ? AND id <> ?", [2, 3]), "day < 6", "day < 0", "day = 3"):
        got = ranks_of.search(q, shard, 5, where=where)
        same(got[:2], index.search(q, 5, where=where), f"where {where}")
    got = ranks_of.search(q, shard, 4, where="day = 2", offset=3)
    same(got[:2], index.search(q, 4, where="day = 2", offset=3), "offset")
    only = list(index)[:9]
    got = ranks_of.search(q, shard, 12, only=only)
    same(got[:2], index.search(q, 12, only=only), "only")
    found = ranks_of.range_search(q, shard, 0.5, where="day < 5")
    expected = index.range_search(q, 0.5, where="day < 5")
    same(found[:3], (expected.offsets, expected.ids, expected.scores), "index reached")
    if index.ids == "integer":
        got = ranks_of.search(q, shard, 5, originals=x)
        same(got[:2], index.search(q, 5, originals=x), "index originals")
        ids = torch.tensor([*index])
        pairs = mf.pairs_above(index.get(ids).vectors, 0.7)
        _check_pairs(shard, ((ids[some], scores) for some, scores in pairs))


def _check_pairs(shard: Any, expected: Iterator[tuple[Any, Any]]) -> None:
    """Check that the pairs of all ranks, put in order, are those of one process."""
    own = [*ranks_of.pairs_above(shard, 0.7)]
    given = Ranks().gather(pickle.dumps(own), "pairs")
    if given is None:
        return
    pairs, scores = _in_order(block for one in given for block in pickle.loads(one))
    same((pairs, scores), _in_order(expected), "pairs")


def _in_order(blocks: Iterator[tuple[Any, Any]]) -> tuple[Any, Any]:
    pairs, scores = (torch.cat(part) for part in zip(*blocks, strict=True))
    order = pairs[:, 1].argsort(stable=True)
    order = order[pairs[order, 0].argsort(stable=True)]
    assert len(pairs)
    return pairs[order], scores[order]
