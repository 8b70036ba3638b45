"""What one rank of a build meets, and what the others hear of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from minifloat.index import Index
from tests.support.launched import launched

X = torch.randn(20, 8, generator=torch.Generator().manual_seed(1))

_PROGRAM = """
from minifloat.distributed import RankError, build_index
rank = dist.get_rank()
def told(path, sources, format="e2m1", **how):
    try:
        print(build_index(path, sources, format, **how))
    except (RankError, ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}")
told("a", ["x.npy", "spoilt.npy"])
told("b", ["x.npy", ["x.npy", "spoilt.npy"][rank == 1]])
told("c", ["x.npy"], ["e2m1", "e2m1", "e4m3"][rank])
told("d", ["x.npy"], ids=[[range(20), range(20), range(1, 21)][rank]])
told("e", ["x.npy"])
told("e", ["x.npy"])
"""


def test_all_ranks_hear_what_one_has_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X.numpy())
    spoilt = X.clone()
    spoilt[7, 2] = torch.nan
    np.save("spoilt.npy", spoilt.numpy())
    ended = launched(_PROGRAM, 3)
    assert [one.status for one in ended] == [0, 0, 0], ended
    out = [one.out.replace(f"{tmp_path}/", "").splitlines() for one in ended]
    wrong = "row 7 of spoilt.npy holds NaN or infinity; all values must be finite"
    other = "all ranks must be asked for one index; rank"
    ids = "ids of source 0 were values of digest "
    _each(out, 0, 2, f"ValueError: {wrong}")
    _each(out, 1, 1, f"ValueError: {other} 1 was for another: it has spoilt.npy")
    _each(out, 2, 2, f"ValueError: {other} 2 was for another: format was e2m1 and is e4m3")
    _each(out, 3, 2, f"ValueError: {other} 2 was for another: {ids}")
    assert [lines[4] for lines in out] == ["20"] * 3
    _each(out, 5, 0, "FileExistsError: e is there and not empty: Index.open opens an index")
    assert len(Index.open("e")) == 20


def _each(out: list[list[str]], call: int, rank: int, told: str) -> None:
    """Hold what ranks say of a call to what one has met.

    A call that is wrong is so on all ranks; what else a rank meets is its own.
    """
    kind, _, words = told.partition(": ")
    elsewhere = f"RankError: rank {rank} failed: {told}"
    if kind == "ValueError":
        elsewhere = f"{kind}: rank {rank}: {words}"
    for at, lines in enumerate(out):
        assert lines[call].startswith(told if at == rank else elsewhere)
