"""How ranks share work: what each gets, and what is said of one that fails."""

import re
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.command.sharing import ALONE, shared
from tests.evaluation.launched import launch

ALL = """
import os
import numpy as np
from evaluation.command.sharing import shared

rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
with shared() as sharing:
    assert sharing.is_first == (rank == 0)
    assert list(range(10))[sharing.share] == list(range(rank, 10, count))
    whole = np.array([[2**62 - rank, rank]]), np.array([2.0**50 + rank, -rank])
    sums = count * (count - 1) // 2
    counts, weights = sharing.summed(*whole)
    assert counts.tolist() == [[sum(2**62 - one for one in range(count)), sums]]
    assert weights.tolist() == [count * 2.0**50 + sums, -sums]
    assert (counts.dtype, weights.dtype) == (np.int64, np.float64)
    assert sharing.each(lambda: {"rank": rank}) == [{"rank": one} for one in range(count)]
    made = []
    for things in (7, count, 1, 0):
        found = list(sharing.map(lambda one: made.append(one) or (one, one**2), range(things)))
        assert found == [(one, one**2) for one in range(things)]
    assert made == [*range(rank, 7, count), rank, *([0] if rank == 0 else [])]
    assert sharing.agreed(lambda: ("own", rank), lambda own: own[0]) == ("own", rank)
print("all of it")
"""


def test_one_process_shares_with_nobody() -> None:
    counts = np.arange(3)
    assert next(ALONE.summed(counts)) is counts
    assert ALONE.is_first
    assert range(5)[ALONE.share] == range(5)
    assert ALONE.each(lambda: 3) == [3]
    assert list(ALONE.map(str, [1, 2])) == ["1", "2"]
    assert ALONE.agreed(lambda: 4, str) == 4
    with shared() as sharing:
        assert sharing is ALONE


@pytest.mark.parametrize("count", [2, 3])
def test_ranks_get_the_same_in_the_same_order(tmp_path: Path, count: int) -> None:
    ended = launch(count, ALL.replace("2**62", f"2**62 // {count}"), folders=[tmp_path])
    assert [(one.status, one.out) for one in ended] == [(0, "all of it\n")] * count, ended


def test_processes_that_no_launcher_has_started_are_told(
    samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert main(["bitdepth", str(samples / "so762-ge2e.npz")]) == 2
    message = (
        r"error: 2 processes were started \(WORLD_SIZE\), which do not find each other \(.*\); "
        r"start them by torchrun\n"
    )
    assert re.fullmatch(message, capsys.readouterr().err)
