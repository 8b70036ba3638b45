"""Shards are opened as rank 0 says: in one version, and anew where its files go meanwhile."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat import Index
from minifloat import distributed as ranks_of
from minifloat.distributed import open_shard
from minifloat.index import sharing
from tests.distributed.databases import DIM, ROWS, rows, write_files, write_index
from tests.support.launched import launched

LANCE = """
import json, sys
import torch
import minifloat as mf
from minifloat import distributed as ranks_of
from minifloat.vectors import lance
from tests.distributed.databases import rows
said = []
for version in (1, None):
    q = rows(9, seed=1)
    packed, _ = lance.read(sys.argv[1], version)
    with ranks_of.open_shard(sys.argv[1], version=version) as shard:
        scores, found, *_ = ranks_of.search(q, shard, 5)
        expected = mf.search(q, packed, 5)
        said.append([len(shard), torch.equal(scores, expected[0]), torch.equal(found, expected[1])])
print(json.dumps(said))
"""


def test_ranks_share_data_sets_of_lance_in_one_version(tmp_path: Path) -> None:
    lance = pytest.importorskip("minifloat.vectors.lance")
    pytest.importorskip("lance")
    packed = write_files(tmp_path, "e2m1")
    uri = tmp_path / "set.lance"
    for first, end, mode in ((0, 1000, "create"), (1000, 1001, "append"), (1001, ROWS, "append")):
        lance.write(uri, packed[first:end], mode=mode)
    ended = launched(LANCE, 3, [str(uri)])
    assert [one.status for one in ended] == [0] * 3, ended[0].err + ended[1].err
    said = [json.loads(one.out) for one in ended]
    for number, total in enumerate((1000, ROWS)):
        assert sum(one[number][0] for one in said) == total
        assert all(one[number][1:] == [True, True] for one in said)


def test_an_index_whose_files_go_meanwhile_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index"
    count = 16 * 4096
    x = torch.randn(count + 5, DIM, generator=torch.Generator().manual_seed(0))
    with Index.create(path, DIM, "e2m1") as index:
        index.add(range(len(x)), x)
        index.commit()
        index.remove(range(0, 1000))
    looked = []

    def planned(folder: Path, number: int | None, real: Any = sharing.planned) -> Any:
        found = real(folder, number)
        looked.append(found[1].version.version)
        if len(looked) == 1:
            with Index.open(path, write=True) as index:
                index.compact()
        return found

    monkeypatch.setattr(sharing, "planned", planned)
    q = rows(3, seed=1)
    with open_shard(path) as shard, Index.open(path) as index:
        assert looked == [2, 3]
        assert torch.equal(ranks_of.search(q, shard, 5).rows, index.search(q, 5)[1])


def test_an_older_version_is_seen_as_it_was(tmp_path: Path) -> None:
    write_index(tmp_path / "index", [*range(ROWS)])
    q = rows(3, seed=1)
    with (
        open_shard(tmp_path / "index", version=1) as shard,
        Index.open(tmp_path / "index", version=1) as index,
    ):
        assert (shard.version, shard.total) == (1, 2 * ROWS // 3)
        assert torch.equal(ranks_of.search(q, shard, 5).rows, index.search(q, 5)[1])


def test_files_that_are_unlike_are_refused(tmp_path: Path) -> None:
    x = torch.randn(3, DIM)
    mf.quantize(x, "e2m1").save(tmp_path / "a.safetensors")
    mf.quantize(x, "e4m3").save(tmp_path / "b.safetensors")
    with pytest.raises(
        ValueError, match=r"^all files must have one format, dim and frame; "
    ) as one:
        open_shard(tmp_path)
    assert str(one.value).endswith("b.safetensors dim 48 in e4m3")
    mf.quantize(x, "e2m1", errors=True).save(tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match=r" must both keep errors, or neither$"):
        open_shard(tmp_path)


def test_a_shard_tells_what_it_is(tmp_path: Path) -> None:
    packed = write_files(tmp_path, "e2m1")
    with open_shard(tmp_path / "one.safetensors") as shard:
        assert repr(shard) == f"Shard(rows 0..{ROWS} of {ROWS} x 48 e2m1, rank 0 of 1, cpu)"
        assert (shard.dim, shard.format, shard.frame, shard.rank) == (DIM, mf.E2M1, None, 0)
        assert shard.vectors == packed
        assert (shard.version, shard.missing, shard.alive) == (None, (), None)
