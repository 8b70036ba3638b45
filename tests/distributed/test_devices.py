"""Shards on a GPU, where there is one, give what rows in main memory give."""

from pathlib import Path

import pytest
import torch

import minifloat as mf
from minifloat import Index
from minifloat import distributed as ranks_of
from minifloat.distributed import open_shard
from tests.distributed.databases import ROWS, rows, write_files, write_index

pytestmark = pytest.mark.gpu

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def test_a_shard_of_files_on_a_device_finds_what_main_memory_has(tmp_path: Path) -> None:
    packed, q = write_files(tmp_path, "e2m1"), rows(9, seed=1)
    with open_shard(tmp_path / "many", device=DEVICE) as shard:
        assert shard.device.type == DEVICE
        for queries in (q, q.to(DEVICE)):
            scores, found, *_ = ranks_of.search(queries, shard, 5)
            # Answers are where queries are, and exchanged in main memory.
            assert (scores.device, found.device) == (queries.device, queries.device)
            expected = mf.search(q, packed, 5)
            assert torch.equal(scores.cpu(), expected[0])
            assert torch.equal(found.cpu(), expected[1])
        mask = torch.rand(ROWS, generator=torch.Generator().manual_seed(2)) < 0.3
        found = ranks_of.search(q, shard, 5, mask=mask.to(DEVICE), ranges=[(7, 900)]).rows
        assert torch.equal(found, mf.search(q, packed, 5, mask=mask, ranges=[(7, 900)])[1])
        reached = ranks_of.range_search(q, shard, 0.5)
        assert torch.equal(reached.rows, mf.range_search(q, packed, 0.5).rows)
        pairs = torch.cat([some for some, _ in ranks_of.pairs_above(shard, 0.7)])
        assert torch.equal(pairs, torch.cat([some for some, _ in mf.pairs_above(packed, 0.7)]))


def test_a_shard_of_an_index_on_a_device_finds_what_the_index_has(tmp_path: Path) -> None:
    write_index(tmp_path / "index", [*range(ROWS)])
    q = rows(9, seed=1)
    path = tmp_path / "index"
    with open_shard(path, device=DEVICE) as shard, Index.open(path) as index:
        for where in (None, "day = 3", "day < 5"):
            scores, ids, *_ = ranks_of.search(q, shard, 5, where=where)
            expected = index.search(q, 5, where=where)
            assert torch.equal(scores, expected[0])
            assert torch.equal(ids, expected[1])
