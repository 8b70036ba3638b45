"""Indexes that are built by many ranks: what one process builds, to the bit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.distributed import build_index
from minifloat.distributed.building import encoding
from minifloat.index import Index
from minifloat.index.writing.adopting import cut
from minifloat.index.writing.committing import FILES
from tests.distributed.files import CASES, IDS, ROWS, X, by_one, difference, write
from tests.support.launched import launched

_PROGRAM = """
from pathlib import Path
from minifloat.distributed import build_index
from minifloat.distributed.building import encoding
from tests.distributed.files import CASES, ROWS, given_ids, packed_sources, sources

folder, rank = Path(sys.argv[1]), dist.get_rank()
for name, (ranks, ids, format, how) in CASES.items():
    group = dist.new_group(range(ranks))
    files = packed_sources(folder) if name == "packed" else sources(folder)
    if rank < ranks:
        given = given_ids(folder, ids)
        assert build_index(folder / name, files, format, ids=given, group=group, **how) == ROWS
        dist.destroy_process_group(group)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of each case."""
    folder = tmp_path_factory.mktemp("built")
    write(folder)
    ended = launched(_PROGRAM, max(ranks for ranks, *_ in CASES.values()), [str(folder)])
    assert [(one.status, one.out, one.err) for one in ended] == [(0, "", "")] * len(ended)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_an_index_that_many_build_is_that_of_one(case: str, built: Path) -> None:
    _, ids, format, how = CASES[case]
    with Index.open(built / case, verify=True) as index:
        assert difference(index, by_one(IDS[ids](), format, **how)) == []


def test_nothing_but_the_index_is_left(built: Path) -> None:
    for case in CASES:
        names = {name.split(".")[0].split("-")[0] for name in os.listdir(built / case)}
        assert names == {"block", "index", "writer"}
    assert [name for name in os.listdir(built) if name.startswith(".")] == []


def test_what_many_have_built_is_changed_as_any_index(built: Path) -> None:
    with (
        Index.open(built / "two") as index,
        by_one(IDS["integers"](), *CASES["two"][2:3], **CASES["two"][3]) as other,
    ):
        files = index.stats().files
        for one in (index, other):
            one.add([2, 3], X[ROWS : ROWS + 2])
            one.remove(IDS["integers"]()[::1000])
            one.commit()
            with pytest.raises(ValueError, match=r"^1 of 1 ids are in the index already: 8; "):
                one.add([8], X[:1])
        assert index.stats().files == files
        assert difference(index, other) == []
        for one in (index, other):
            one.compact(erase=True)
            one.purge(IDS["integers"]()[1:2])
        assert difference(index, other) == []


@pytest.mark.parametrize("rows", [0, 1, 65_535, 65_536, 65_537, 131_071, ROWS])
def test_one_process_builds_alone(rows: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X[:rows].numpy())
    path = tmp_path / "index"
    path.mkdir()
    assert build_index(path, [tmp_path / "x.npy"], "e2m1") == rows
    with Index.open(path, verify=True) as index:
        assert index.check() == []
        assert (len(index), index.version) == (rows, min(rows, 1))
        assert [*index] == [*range(rows)]
        if rows:
            scores, ids = index.search(X[-3:], 1)
            best, found = mf.search(X[-3:], mf.quantize(X[:rows], "e2m1"), 1)
            assert torch.equal(scores, best)
            assert torch.equal(ids, found)
        index.add(["a"] if not rows else [rows], X[:1])
        index.commit()
        assert index.check() == []


@pytest.mark.parametrize("rows", [0, 1, 4096, 65_536, 70_000, 10**6, 10**7 + 1, 10**9])
def test_rows_are_cut_into_files_that_no_commit_moves_together(rows: int) -> None:
    pieces = cut(rows)
    assert [0, *(end for _, end in pieces)] == [*(first for first, _ in pieces), rows]
    sizes = [end - first for first, end in pieces]
    assert all(65_536 <= size <= 1 << 20 and size % 4096 == 0 for size in sizes[:-1])
    assert len(pieces) <= FILES / 2 + rows / (1 << 20) + 2


def test_a_frame_that_is_stale_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_VALUES", 1000)
    np.save(tmp_path / "x.npy", X[:2000].numpy() - 0.5)
    frame = mf.Frame.fit(X[:2000] + 3)
    with pytest.warns(UserWarning, match=r"^the axes of the frame hold ") as told:
        build_index(tmp_path / "index", [tmp_path / "x.npy"], "e2m1", frame=frame)
    assert len(told) == 1
