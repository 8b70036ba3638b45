"""Lists of a search on a GPU, replayed on random rows: csrc/cuda/search without its products."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray

MULTIPROCESSORS = 132
BLOCK_ROWS = 64
Keys = NDArray[np.uint64]

_ABOVE_ALL = 0xBF800001 << 32


@dataclass(frozen=True)
class Course:
    """How a search goes, as csrc/cuda/search/parts.h plans it."""

    lists: int  # of each query
    block_queries: int
    block_rows: int  # that a block takes at a time
    capacity: int
    crowd: int
    left: int
    period: int
    ends: tuple[int, ...]  # of the parts of the rows
    sorts: bool = False


def course(queries: int, rows: int, k: int, *, early: bool = True, long: bool = True) -> Course:
    """Return how packed queries of E2M1 search rows of 256 on an H100."""
    few = queries <= 8
    block_queries, at_once, keepers = (8, 4, 1) if few else (256, 1, 2)
    block_rows = BLOCK_ROWS * keepers
    blocks = ceil(rows / block_rows)
    shares = shares_of(ceil(queries / block_queries), MULTIPROCESSORS * at_once)
    slices = ceil(blocks / ceil(blocks / shares))
    lists = slices * keepers
    if long:
        crowd, period = max(BLOCK_ROWS, 2 * k), 2 if few else 1
        left, capacity = k + (crowd - k) // 8, crowd + period * BLOCK_ROWS
    else:
        capacity = 1 << (k + max(16, k // 4) + BLOCK_ROWS - 1).bit_length()
        crowd, left, period = min(k + max(16, k // 2), capacity - BLOCK_ROWS), k, 1
    ends: list[int] = []
    if early and queries >= 32:
        end = ceil(max(slices * block_rows, 4 * k) / block_rows) * block_rows
        while 2 * end <= rows and (
            not ends or (rows - ends[-1]) // lists * block_queries * k // ends[-1] >= 400
        ):
            ends.append(end)
            end *= 4
    return Course(
        lists, block_queries, block_rows, capacity, crowd, left, period, (*ends, rows), not long
    )


def shares_of(query_blocks: int, at_once: int) -> int:
    """Return how many blocks of the same queries share the rows, as products/shares.h does."""
    best, best_busy = 1, 0
    for turns in (1, 2, 3):
        shares = max(1, turns * at_once // query_blocks)
        blocks = shares * query_blocks
        busy = 100 * blocks // (ceil(blocks / at_once) * at_once)
        if busy >= best_busy + 10:
            best, best_busy = shares, busy
    return best


@dataclass
class Tally:
    """What one query's lists came to."""

    appended: int = 0
    cuts: list[tuple[int, int]] = field(default_factory=list)  # keys, and how often these count
    merged: list[int] = field(default_factory=list)  # keys that each merge reads
    passing: list[float] = field(default_factory=list)  # of scores, by row block of a list
    best: Keys = field(default_factory=lambda: np.empty(0, np.uint64))


def replay(plan: Course, k: int, random: np.random.Generator) -> Tally:
    """Search random rows for one query, and count."""
    tally = Tally()
    lists = [np.empty(0, np.uint64) for _ in range(plan.lists)]
    thresholds = np.zeros(plan.lists, np.uint64)
    begin = 0
    for end in plan.ends:
        for number, there in enumerate(_row_blocks(plan, begin, end)):
            keys = _random_keys(random, (plan.lists, BLOCK_ROWS))
            passes = (keys > thresholds[:, None]) & (np.arange(BLOCK_ROWS) < there[:, None])
            tally.appended += int(passes.sum())
            tally.passing.append(float(passes.sum() / max(1, there.sum())))
            for i in np.flatnonzero(passes.any(1)):
                lists[i] = np.concatenate([lists[i], keys[i][passes[i]]])
            _settle(plan, k, number + 1, lists, thresholds, tally)
        if plan.block_queries == 8:
            _finish(plan, k, lists, thresholds, tally)
        tally.merged.append(sum(map(len, lists)))
        best = np.sort(np.concatenate(lists))[::-1][:k]
        if len(best) == k:
            thresholds[:] = best[-1]
        lists = [best, *[best[:0]] * (plan.lists - 1)]
        begin, tally.best = end, best
    return tally


def _row_blocks(plan: Course, begin: int, end: int) -> list[NDArray[np.int64]]:
    """Return, for each row block of a part, how many rows of it each list has."""
    keepers = plan.block_rows // BLOCK_ROWS
    slices = plan.lists // keepers
    rows = ceil(ceil((end - begin) / plan.block_rows) / slices) * plan.block_rows
    first = begin + np.arange(plan.lists) // keepers * rows
    last = np.minimum(first + rows, end)
    starts = range(0, rows, plan.block_rows)
    own = np.arange(plan.lists) % keepers * BLOCK_ROWS
    return [np.clip(last - first - start - own, 0, BLOCK_ROWS) for start in starts]


def _random_keys(random: np.random.Generator, shape: tuple[int, int]) -> Keys:
    """Return keys of cosines of random rows of 256, no two equal."""
    scores = np.clip(random.standard_normal(shape, np.float32) / 16, -1, 1)
    bits = scores.view(np.uint32)
    order = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    return order << np.uint64(32) | random.integers(1 << 32, size=shape, dtype=np.uint64)


def _settle(
    plan: Course,
    k: int,
    after: int,
    lists: list[Keys],
    thresholds: Keys,
    tally: Tally,
) -> None:
    """Cut the crowded lists, after so many row blocks."""
    if after % plan.period:
        return
    if after % (8 * plan.period) == 0:
        thresholds[:] = thresholds.max()
    for i in [i for i, keys in enumerate(lists) if len(keys) > plan.crowd]:
        _cut(plan, k, i, lists, thresholds, tally)


def _finish(plan: Course, k: int, lists: list[Keys], thresholds: Keys, tally: Tally) -> None:
    """Cut what a merge would have to read of many lists."""
    if not plan.sorts:
        for i in [i for i, keys in enumerate(lists) if len(keys) > plan.left]:
            thresholds[i] = thresholds.max()
            _cut(plan, k, i, lists, thresholds, tally)


def _cut(plan: Course, k: int, i: int, lists: list[Keys], thresholds: Keys, tally: Tally) -> None:
    """Cut a list, and raise its threshold."""
    keys = np.sort(lists[i])[::-1]
    if plan.sorts:
        tally.cuts.append((len(keys), 0))
        lists[i], threshold = keys[:k], keys[k - 1]
    else:
        low, counts = cut_of(keys, int(thresholds[i]), k, plan.left)
        tally.cuts.append((len(keys), counts + 2))
        threshold = np.uint64(low)
        lists[i] = keys[keys >= threshold]
    thresholds[i] = max(thresholds[i], threshold)


def cut_of(keys: Keys, low: int, fewest: int, most: int) -> tuple[int, int]:
    """Return a key that `fewest` to `most` keys reach, by halving, and how often that counted."""
    if int((keys >= np.uint64(low)).sum()) <= most:
        return low, 0
    high, counts = _ABOVE_ALL, 0
    while high - low > 1:
        middle = low + (high - low) // 2
        reaching = int((keys >= np.uint64(middle)).sum())
        counts += 1
        if reaching < fewest:
            high = middle
            continue
        low = middle
        if reaching <= most:
            break
    return low, counts
