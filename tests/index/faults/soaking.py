"""One writer and four readers of an index for long: answers of one version, and nothing grows."""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from statistics import median
from time import monotonic, perf_counter
from typing import Any, NamedTuple

import torch

import minifloat as mf
from minifloat.index import Index
from tests.index.faults.scenarios import FORMAT
from tests.index.model import DIM, row

# Rows of one turn, all of which each commit replaces; and others that come and go one by one.
GROUP, OTHERS = 12, 40
NAMES = [f"of the group {number}" for number in range(GROUP)]

# How much more the last quarter may have than the first: times, and what is added to that.
BOUNDS = {"MB": (1.3, 30), "open": (1.0, 4), "files": (1.5, 10), "kB": (2, 2000), "ms": (4, 20)}


class Sample(NamedTuple):
    """What was measured: by whom, what, when, how much."""

    who: str
    what: str
    at: float
    value: float


def of_turn(turn: int) -> torch.Tensor:
    """Return the rows of a group at one turn."""
    return torch.cat([row(turn + number) for number in range(GROUP)])


def make(path: Path) -> None:
    """Make the index."""
    with Index.create(path, DIM, FORMAT, columns={"turn": "integer indexed"}) as index:
        index.add(NAMES, of_turn(0), turn=0)
        index.add([f"other {number}" for number in range(OTHERS)], of_others(0, OTHERS), turn=-1)


def of_others(first: int, count: int) -> torch.Tensor:
    """Return rows that are no group's."""
    return torch.cat([row(10**6 + first + number) for number in range(count)])


def refuse_mixed(index: Index, round: int, *, between: bool) -> None:
    """AssertionError where an answer is not of exactly one version, or between two changes."""
    if round % 8 == 1:
        got = index.get(NAMES)
        (turn,) = set(got.columns["turn"])
        assert got.vectors == mf.quantize(of_turn(turn), FORMAT), f"vectors are not of turn {turn}"
        return
    where = None if round % 8 else "turn >= 0"
    _, ids = index.search(row(round), GROUP + OTHERS + 9, where=where)
    found = [id for id in ids[0].tolist() if id is not None]
    assert len(set(found)) == len(found), "an id is found twice"
    assert {id for id in found if id in NAMES} == set(NAMES), "some of the group are missing"
    # Between two changes one of the others is away.
    allowed = {GROUP + (0 if where else OTHERS), GROUP + (0 if where else OTHERS - between)}
    assert len(found) in allowed, f"{len(found)} rows are found, of {allowed}"


def measured(who: str, spent: list[float], put: Any) -> None:
    """Tell what a process holds, and how long its calls took."""
    at = monotonic()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    put(Sample(who, "MB", at, pages * os.sysconf("SC_PAGESIZE") / 1e6))
    put(Sample(who, "open", at, len(os.listdir("/proc/self/fd"))))
    if spent:
        put(Sample(who, "ms", at, 1000 * median(spent)))
    spent.clear()


def read(index: Index, who: str, end: float, put: Any, *, refreshes: bool) -> None:
    """Ask until an end, and tell what goes wrong."""
    spent: list[float] = []
    told, round = monotonic(), 0
    try:
        while monotonic() < end:
            begin = perf_counter()
            refuse_mixed(index, round, between=not refreshes)
            spent.append(perf_counter() - begin)
            round += 1
            if refreshes and round % 20 == 0:
                index.refresh()
            if monotonic() - told > 0.25:
                told = monotonic()
                measured(who, spent, put)
    except BaseException as error:
        put(f"{who}, round {round}: {error!r}")
    put(Sample(who, "rounds", monotonic(), round))


def read_in_process(path: Path, who: str, end: float, put: Any) -> None:
    """Ask in a process of its own."""
    torch.set_num_threads(1)
    with Index.open(path) as index:
        read(index, who, end, put.put, refreshes=True)


def write(index: Index, end: float, put: Any) -> None:
    """Change and commit until an end, one row or one group at a time."""
    spent: list[float] = []
    told, turn = monotonic(), 0
    while monotonic() < end:
        turn += 1
        begin = perf_counter()
        # All rows of the others are as many before as after.
        index.remove([f"other {turn - 1}"])
        index.add([f"other {turn - 1 + OTHERS}"], of_others(turn - 1 + OTHERS, 1), turn=-1)
        if turn % 4 == 0:
            index.upsert(NAMES, of_turn(turn), turn=turn)
        index.commit()
        spent.append(perf_counter() - begin)
        if turn % 100 == 0:
            index.compact()
        if monotonic() - told > 0.25:
            told = monotonic()
            measured("writer", spent, put)
            assert index.path is not None
            sizes = [file.stat().st_size for file in index.path.iterdir()]
            put(Sample("folder", "files", told, len(sizes)))
            put(Sample("folder", "kB", told, sum(sizes) / 1000))
    put(Sample("writer", "commits", monotonic(), turn))


def soak(path: Path, seconds: float) -> tuple[dict[str, float], list[str]]:
    """Return how much was done, and what was wrong, of so many seconds."""
    make(path)
    # Threads take turns within changes, which are short.
    sys.setswitchinterval(1e-4)
    context = get_context("spawn")
    heard = context.Queue()
    begun = monotonic()
    # Those that are started need some seconds to be there.
    end = begun + seconds + 4
    others = [
        context.Process(target=read_in_process, args=(path, f"process {number}", end, heard))
        for number in range(2)
    ]
    for other in others:
        other.start()
    found: list[Any] = []
    with Index.open(path, write=True) as index:
        threads = [
            threading.Thread(
                target=read,
                args=(index, f"thread {number}", end, found.append),
                kwargs={"refreshes": False},
            )
            for number in range(2)
        ]
        for thread in threads:
            thread.start()
        write(index, end, found.append)
        for thread in threads:
            thread.join()
        found += [f"check: {one}" for one in index.check()]
    while any(other.is_alive() for other in others) or not heard.empty():
        try:
            found.append(heard.get(timeout=0.2))
        except Empty:
            continue
    wrong = [one for one in found if isinstance(one, str)]
    samples = [one for one in found if isinstance(one, Sample)]
    counts = [one for one in samples if one.what in ("rounds", "commits")]
    done = {f"{one.what} of {one.who}": one.value for one in counts}
    return done, wrong + grown(samples)


def grown(samples: list[Sample]) -> list[str]:
    """Return what is more in the last quarter of the time than in the first, but for bounds."""
    series: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for one in samples:
        if one.what in BOUNDS:
            series[one.who, one.what].append(one)
    said = []
    for (who, what), all in series.items():
        quarter = max(1, len(all) // 4)
        first, last = (median(one.value for one in of) for of in (all[:quarter], all[-quarter:]))
        share, more = BOUNDS[what]
        if last > share * first + more:
            said.append(f"{who}: {what} grew from {first:.1f} to {last:.1f}")
    return said
