"""What a search on a GPU keeps beside multiplying: its plan, replayed on random rows without a GPU.

python -m benchmarks.gpu.simulation                # E2M1 against a million rows of 256
python -m benchmarks.gpu.simulation --late --short # thresholds from nothing, lists that are sorted

Lists, parts of the rows and cuts are those of csrc/cuda/search, for random scores. Counted are keys
that are appended to a list, its cuts, and keys that merges read; clocks are those of an H100, for
instructions as nvcc 13.0 made them for sm_90a, and none of them is hidden behind another. Where
warpgroups multiply, the last column is the bar: keeping the best is to take half as long as
multiplying, at most.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb

import numpy as np

from benchmarks.gpu.simulation.replayed import (
    BLOCK_ROWS,
    MULTIPROCESSORS,
    Course,
    Tally,
    course,
    replay,
)
from evaluation.command.help import HelpFormatter

_CLOCK = 1.755e9

# Of 64 rows, 256 queries and 256 dims in bytes: 4096 products a clock.
_PRODUCTS = 4096
_WARPS = 4
# A lane has 8 sums of each pair of tiles, whose warp has 256.
_LANE_SUMS, _LANES, _PAIR_QUERIES = 8, 32, 16

# Clocks of a scheduler's integer pipe, or of its instructions where these are more.
_ENTRY = 18  # into what a warp does where a sum of a pair of tiles passes
_APPEND = 106  # one key for each lane that has one
_SETTLE = 15  # where no list is crowded
_LOOK = 60  # at all lists of a warp, where some list is
_HALVING, _HALVING_KEYS = 60, 8  # each count, and for each 32 keys of it
_SORTING, _SORTING_PAIRS = 40, 20  # each pass of a sort, and for each 32 pairs of it
# A launch, and merges of as many queries as a multiprocessor has blocks for.
_LAUNCH = 2e-6 * _CLOCK
_MERGE, _MERGES_AT_ONCE = 6000, 9


def turns(passing: float) -> float:
    """Return how often a warp appends where so many of a pair of tiles' sums pass.

    Each lane appends one key at a time, so this is as often as the lane that has most.
    """
    at_most, expected = 0.0, 0.0
    for i in range(_LANE_SUMS):
        at_most += comb(_LANE_SUMS, i) * passing**i * (1 - passing) ** (_LANE_SUMS - i)
        expected += 1 - min(1.0, at_most) ** _LANES
    return expected


def cut_clocks(tally: Tally) -> float:
    """Return what its cuts take, each of one warp."""
    total = 0.0
    for keys, counts in tally.cuts:
        total += counts * (_HALVING + _HALVING_KEYS * ceil(keys / _LANES))
        if not counts:
            steps = max(_LANES.bit_length() - 1, (keys - 1).bit_length())
            pairs = (1 << steps) // 2
            passes = steps * (steps + 1) // 2
            total += passes * (_SORTING + _SORTING_PAIRS * ceil(pairs / _LANES))
    return total


@dataclass(frozen=True)
class Clocks:
    """Of a multiprocessor's scheduler, which has a warp of each keeper of a block."""

    multiplying: float
    appending: float
    cutting: float
    merging: float

    @property
    def keeping(self) -> float:
        """All but multiplying."""
        return self.appending + self.cutting + self.merging


def clocks(plan: Course, queries: int, tallies: Sequence[Tally], dim: int = 256) -> Clocks:
    """Return what a search takes where warpgroups multiply."""
    pairs, keepers = plan.block_queries // _PAIR_QUERIES, plan.block_rows // BLOCK_ROWS
    appending = cutting = 0.0
    for tally in tallies:
        for passing in tally.passing:
            any_passes = 1 - (1 - passing) ** (_LANE_SUMS * _LANES)
            appending += pairs * (_ENTRY * any_passes + _APPEND * turns(passing)) + _SETTLE
        cuts = plan.block_queries / _WARPS / plan.lists
        looks = min(len(tally.passing), len(tally.cuts) * cuts)
        cutting += cut_clocks(tally) * cuts + looks * _LOOK
    row_blocks = sum(len(tally.passing) for tally in tallies) / len(tallies)
    waves = ceil(queries / (MULTIPROCESSORS * _MERGES_AT_ONCE))
    merging = len(plan.ends) * (2 * _LAUNCH + waves * _MERGE) - _LAUNCH
    multiplying = keepers * row_blocks * BLOCK_ROWS * plan.block_queries * dim / _PRODUCTS
    each = keepers / len(tallies)
    return Clocks(multiplying, appending * each, cutting * each, merging)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu.simulation",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, nargs="+", default=[1, 1024, 4096])
    parser.add_argument("--k", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--searches", type=int, default=3, help="that are replayed of each")
    parser.add_argument("--late", action="store_true", help="thresholds start from nothing")
    parser.add_argument("--short", action="store_true", help="lists are short, and sorted")
    asked = parser.parse_args(arguments)
    heads = ("queries", "k", "parts", "appended", "cuts", "merged")
    print(*[f"{head:>9}" for head in heads], " appending + cutting + merging / multiplying")
    for queries in asked.queries:
        for k in asked.k:
            plan = course(queries, asked.rows, k, early=not asked.late, long=not asked.short)
            random = np.random.default_rng(0)
            tallies = [replay(plan, k, random) for _ in range(asked.searches)]
            count = len(tallies) * plan.lists
            told = (
                f"{sum(t.appended for t in tallies) / count:.1f}",
                f"{sum(len(t.cuts) for t in tallies) / count:.2f}",
                f"{sum(sum(t.merged) for t in tallies) / len(tallies):.0f}",
            )
            print(*[f"{x:>9}" for x in (queries, k, len(plan.ends), *told)], end=" ")
            if queries > 8:
                of = clocks(plan, queries, tallies)
                parts = (of.appending, of.cutting, of.merging, of.keeping)
                print(*[f"{part / of.multiplying:9.2f}" for part in parts])
            else:
                print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
