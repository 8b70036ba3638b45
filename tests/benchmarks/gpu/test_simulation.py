"""benchmarks/gpu/simulation: it goes through rows as the kernels do, and counts right."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minifloat as mf
from benchmarks.gpu.simulation import replayed
from benchmarks.gpu.simulation.__main__ import clocks, main, turns
from benchmarks.gpu.simulation.replayed import Course, course, cut_of, replay
from tests.backends.cuda.asked import needs_emulator
from tests.backends.cuda.conftest import multiprocessors, ways

__all__ = ["multiprocessors", "ways"]

# 8 lists of 2560 rows, in parts of 64, 256 and 2240 rows of each.
PLAN = Course(8, 256, 128, 192, 96, 24, 1, (512, 2560, 20480))


@needs_emulator
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("long", [True, False])
def test_its_plan_is_that_of_the_kernels(
    early: bool, long: bool, ways: Any, multiprocessors: Any
) -> None:
    from tests.support import emulated

    multiprocessors(replayed.MULTIPROCESSORS)
    ways.starts_early, ways.has_long_lists, ways.asks_occupancy = early, long, False
    for queries in (1, 8, 1024, 4096):
        for rows in (10_000, 1_000_000):
            for k in (10, 100, 1000):
                plan = course(queries, rows, k, early=early, long=long)
                numbers = [plan.lists, plan.block_queries, plan.block_rows, plan.capacity]
                numbers += [plan.crowd, plan.left, plan.period, *plan.ends]
                shape = {"queries": queries, "rows": rows}
                assert numbers == emulated.course(mf.E2M1, dim=256, k=k, **shape)


def test_the_best_of_all_rows_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    draw = replayed._random_keys

    def drawn(*asked: Any) -> Any:
        seen.append(draw(*asked))
        return seen[-1]

    monkeypatch.setattr(replayed, "_random_keys", drawn)
    for sorts in (True, False):
        seen.clear()
        plan = replace(PLAN, sorts=sorts)
        tally = replay(plan, 20, np.random.default_rng(1))
        every = np.sort(np.concatenate([keys.ravel() for keys in seen]))[::-1]
        assert len(every) == 20480
        np.testing.assert_array_equal(tally.best, every[:20])
        # All rows of the first part are appended, and of the others few.
        assert tally.merged[0] == 512
        assert 512 < tally.appended < 1200
        assert len(tally.merged) == 3
        assert len(tally.passing) == 40


def test_a_cut_leaves_as_many_keys_as_are_asked_for() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        keys = replayed._random_keys(random, (1, 200))[0]
        low, counts = cut_of(keys, 0, 50, 60)
        assert 50 <= (keys >= np.uint64(low)).sum() <= 60
        assert 0 < counts < 64
        assert (keys >= np.uint64(cut_of(keys, 0, 50, 50)[0])).sum() == 50
    assert cut_of(keys, low, 50, 60) == (low, 0)


def test_a_warp_appends_as_often_as_its_busiest_lane() -> None:
    assert turns(0) == 0
    assert turns(1) == 8
    random = np.random.default_rng(3)
    for passing in (0.001, 0.03, 0.5):
        busiest = (random.random((20_000, 32, 8)) < passing).sum(2).max(1)
        assert turns(passing) == pytest.approx(busiest.mean(), rel=0.1)


def test_early_thresholds_and_long_lists_take_fewer_clocks() -> None:
    def keeping(**ways: bool) -> float:
        plan = course(1024, 200_000, 100, **ways)
        of = clocks(plan, 1024, [replay(plan, 100, np.random.default_rng(4))])
        assert of.multiplying > 200_000 * 1024 * 256 / 4096 / 132
        return of.keeping

    assert keeping() < keeping(early=False) < keeping(early=False, long=False)


def test_it_prints_a_line_for_each_search(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--rows", "20000", "--queries", "1", "1024", "--k", "10", "--searches", "1"]
    assert main(asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["1", "10"], ["1024", "10"]]
