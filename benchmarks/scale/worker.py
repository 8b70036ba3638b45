"""What each process of a group runs: rounds of messages, or searches of a database's shards."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist

from benchmarks.scale import databases
from benchmarks.scale.plan import ANSWERED, FOUND
from minifloat.distributed import Ranks, Shard, open_shard, search
from minifloat.distributed.exchange.rounds import Round
from minifloat.distributed.searching import best

# Rounds that are timed at once, and how often.
_AT_ONCE, _TIMES = 20, 9
# Seconds that a rank may take for a batch: much more than any takes here.
_TIMEOUT = 600.0
_STARTS = 3


def main() -> None:
    """Do the work that is named, and print what rank 0 has found."""
    given = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    dist.init_process_group("gloo", timeout=timedelta(hours=2))
    started = time.time() - given["launched"]
    found = WORKS[given["work"]](given)
    if dist.get_rank() == 0:
        print(json.dumps(found | {"processes_s": started}))
    dist.barrier()
    dist.destroy_process_group()


def rounds(given: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds of a round by ranks and queries: as many bytes as a search has."""
    groups = _groups(given)
    return _rounds_of(groups, given)


def check(given: dict[str, Any]) -> dict[str, Any]:
    """Return times of searches by one process and by groups, in turn, and all that is beside."""
    groups = _groups(given)
    path = Path(given["path"])
    start = {size: _start(path, size, group, given) for size, group in groups.items()}
    shards = _shards(dict.fromkeys(groups, path), groups)
    found = {
        "start": start,
        **_rounds_of(groups, given),
        "search": {
            count: _in_turn(shards, count, times, given)
            for count, times in ((int(q), t) for q, t in given["queries"].items())
        },
    }
    _close(shards)
    paths = {int(size): Path(one) for size, one in given["equal"].items()}
    shards = _shards(paths, groups)
    found["equal"] = _in_turn(shards, 64, given["queries"]["64"], given)
    _close(shards)
    return found


WORKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"rounds": rounds, "check": check}


def _groups(given: dict[str, Any]) -> dict[int, Any]:
    """Return a group of each size, of the first ranks; all ranks must make all of them."""
    return {size: dist.new_group([*range(size)]) for size in given["sizes"]}


def _is_in(size: int) -> bool:
    return dist.get_rank() < size


def _shards(paths: dict[int, Path], groups: dict[int, Any]) -> dict[int, Shard | None]:
    found = {}
    for size, path in paths.items():
        dist.barrier()
        opened = None
        if _is_in(size):
            opened = open_shard(path, groups[size], verify=False, timeout=_TIMEOUT)
        found[size] = opened
    return found


def _close(shards: dict[int, Shard | None]) -> None:
    for shard in shards.values():
        if shard is not None:
            shard.close()
    shards.clear()


def _rounds_of(groups: dict[int, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds of a round, and those that this rank's processor is busy with it."""
    each = {size: _rounds(size, group, given) for size, group in groups.items() if size > 1}
    wall, cpu = (
        {size: {q: two[i] for q, two in of.items()} for size, of in each.items()} for i in (0, 1)
    )
    return {"round_s": wall, "round_cpu_s": cpu}


def _rounds(size: int, group: Any, given: dict[str, Any]) -> dict[int, tuple[float, float]]:
    """Return both for each number of queries, the medians of many."""
    dist.barrier()
    if not _is_in(size):
        return {}
    ranks, found = Ranks(group, timeout=_TIMEOUT), {}
    for queries in (1, 64):
        of_one = 2 * given["dim"] + 4, FOUND * given["k"], ANSWERED * given["k"]
        data = [torch.zeros(queries * bytes, dtype=torch.uint8) for bytes in of_one]
        times = []
        for _ in range(_TIMES):
            begun = time.perf_counter(), time.process_time()
            for _ in range(_AT_ONCE):
                _round(ranks, data)
            ended = time.perf_counter(), time.process_time()
            times.append([(b - a) / _AT_ONCE for a, b in zip(begun, ended, strict=True)])
        wall, cpu = (statistics.median(each) for each in zip(*times, strict=True))
        found[queries] = wall, cpu
    ranks.close()
    return found


def _round(ranks: Ranks, data: list[torch.Tensor]) -> None:
    queries, keys, answer = data
    one = Round.of_one(ranks, "round", 0)

    def own() -> torch.Tensor:
        one.spread(lambda: queries)
        return keys

    one.give(own)
    one.take(lambda _: answer)


def _start(path: Path, size: int, group: Any, given: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of reading the shard alone, and from opening it to the first answer.

    The longest of any rank, and the median of several; the file's pages are dropped before each.
    """
    read, answered = [], []
    queries = torch.randn(1, given["dim"], generator=torch.Generator().manual_seed(1))
    for _ in range(_STARTS):
        _drop(path)
        torch.set_num_threads(max(1, given["cores"] // size))
        if _is_in(size):
            whole, rank = path.stat().st_size, dist.get_rank()
            of_rank = whole * rank // size, whole * (rank + 1) // size
            read.append(_longest(databases.read_seconds(path, *of_rank), group))
        _drop(path)
        if _is_in(size):
            begun = time.perf_counter()
            shard = open_shard(path, group, timeout=_TIMEOUT)
            search(queries, shard, given["k"])
            answered.append(_longest(time.perf_counter() - begun, group))
            shard.close()
            del shard
    if not read:
        return {}
    return {"read_s": statistics.median(read), "answered_s": statistics.median(answered)}


def _drop(path: Path) -> None:
    dist.barrier()
    if dist.get_rank() == 0:
        databases.dropped(path)
    dist.barrier()


def _in_turn(
    shards: dict[int, Shard | None], count: int, times: int, given: dict[str, Any]
) -> dict[int, dict[str, list[float]]]:
    """Return rank 0's seconds of searches, and the longest of any rank's own, size after size."""
    queries = torch.randn(count, given["dim"], generator=torch.Generator().manual_seed(2))
    found: dict[int, dict[str, list[float]]] = {}
    for number in range(times + 1):
        for size, shard in shards.items():
            dist.barrier()
            if shard is None:
                continue
            torch.set_num_threads(max(1, given["cores"] // size))
            both = _seconds_of(queries, shard, given["k"])
            # The first of all only makes memory and caches warm.
            if number:
                of_size = found.setdefault(size, {"all_s": [], "own_s": []})
                of_size["all_s"].append(both[0])
                of_size["own_s"].append(both[1])
    return found


def _seconds_of(queries: torch.Tensor, shard: Shard, k: int) -> tuple[float, float]:
    """Return the seconds of a search, and of them those in which the slowest searched its rows."""
    spent, own = [], best._Search.own

    def timed(*given: Any) -> Any:
        begun = time.perf_counter()
        found = own(*given)
        spent.append(time.perf_counter() - begun)
        return found

    with mock.patch.object(best._Search, "own", timed):
        begun = time.perf_counter()
        search(queries, shard, k)
        whole = time.perf_counter() - begun
    each = shard.ranks.gather(str(sum(spent)).encode(), "own")
    return whole, max(map(float, each or [b"0"]))


_NOTHING = torch.zeros(1, dtype=torch.uint8)


def _longest(seconds: float, group: Any) -> float:
    longest = torch.tensor(seconds, dtype=torch.float64)
    dist.all_reduce(longest, dist.ReduceOp.MAX, group)
    return float(longest)


if __name__ == "__main__":
    main()
