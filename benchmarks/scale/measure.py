"""What a machine does: rows scanned, products, a disk read, rounds of messages, a start."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

import minifloat as mf
from benchmarks.scale import databases, launch
from benchmarks.scale.tables import markdown, seconds, size, threads
from minifloat.distributed import open_shard, search

QUERIES = (1, 8, 64, 1024, 4096)
SIZES = (2, 4)
_ROUNDS = ("round_s", "round_cpu_s")
# Of more queries than this, fewer rows are searched, but never so few that they fit into a cache.
_ALL_ROWS, _LEAST_ROWS = 8, 1 << 18
_LONGEST = 20.0


class Asked(NamedTuple):
    """What is measured: so many rows of each format, and how often, in a folder."""

    formats: Sequence[mf.Format]
    rows: int
    dim: int
    threads: int
    rounds: int
    folder: Path
    k: int = 10


def measured(asked: Asked, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return figures as a plan takes them. tell: gets a line on each step."""
    torch.set_num_threads(asked.threads)
    found: dict[str, Any] = {"threads": asked.threads, "dim": asked.dim, "rows": asked.rows}
    found["formats"] = {}
    for format in asked.formats:
        tell(f"{format}: {asked.rows:,} rows")
        path = asked.folder / f"{format}.safetensors"
        found["formats"][str(format)] = _rates(
            asked, databases.made(path, format, asked.rows, asked.dim)
        )
        if format is asked.formats[0]:
            found["file_bytes"] = path.stat().st_size
            found |= _from_disk(asked, path)
        path.unlink()
    tell("rounds")
    given = {"sizes": SIZES, "dim": asked.dim, "k": asked.k}
    rounds = launch.launched("rounds", max(SIZES), given)
    return found | {name: rounds[name] for name in _ROUNDS}


def _rates(asked: Asked, rows: mf.PackedVectors) -> dict[str, Any]:
    """Return bytes a second by one query, and products a second by more."""
    rates: dict[str, Any] = {"products_per_s": {}}
    chance = torch.Generator().manual_seed(3)
    for count in QUERIES:
        some = min(len(rows), max(_LEAST_ROWS, len(rows) * _ALL_ROWS // max(count, _ALL_ROWS)))
        queries = torch.randn(count, asked.dim, generator=chance)
        searched = rows[:some]
        time = _median(asked.rounds, lambda q=queries, r=searched: mf.search(q, r, asked.k))  # type: ignore[misc]
        if count == 1:
            rates["bytes_per_s"] = searched.nbytes / time
        else:
            rates["products_per_s"][str(count)] = some * count * asked.dim / time
    return rates


def _median(rounds: int, work: Callable[[], object]) -> float:
    """Return the median of so many times, fewer where they take long; the first is left out."""
    work()
    times: list[float] = []
    while len(times) < rounds and sum(times) < _LONGEST:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _from_disk(asked: Asked, path: Path) -> dict[str, Any]:
    """Return bytes a second of a file that no page is left of, and how a start compares with it.

    start_s: from opening the file to the first answer; read_s: of reading it and nothing else.
    """
    query = torch.randn(1, asked.dim)
    reads, starts = [], []
    for _ in range(3):
        databases.dropped(path)
        reads.append(databases.read_seconds(path))
        databases.dropped(path)
        begun = time.perf_counter()
        shard = open_shard(path)
        search(query, shard, asked.k)
        starts.append(time.perf_counter() - begun)
        shard.close()
        del shard
    read = statistics.median(reads)
    return {
        "disk_bytes_per_s": path.stat().st_size / read,
        "read_s": read,
        "start_s": statistics.median(starts),
    }


def printed(found: dict[str, Any]) -> str:
    """Return figures as tables in Markdown."""
    headings = ["format", "1 query, bytes/s"]
    headings += [f"{int(count):,} queries" for count in map(str, QUERIES[1:])]
    lines = [
        [format, f"{size(rates['bytes_per_s'])}/s"]
        + [f"{rates['products_per_s'][str(count)] / 1e9:.0f}" for count in QUERIES[1:]]
        for format, rates in found["formats"].items()
    ]
    rounds = [
        [f"{ranks} processes"]
        + [seconds(found[name][ranks][count]) for name in _ROUNDS for count in ("1", "64")]
        for ranks in found["round_s"]
    ]
    start = found["start_s"] / found["read_s"]
    return "\n\n".join(
        [
            f"{found['cpu']}, {found['isa']}, {threads(found['threads'])}, {found['rows']:,} rows "
            f"of {found['dim']}; 10^9 products a second for more queries than one.",
            markdown(headings, lines),
            f"A file of {size(found['file_bytes'])} whose pages were dropped is read at "
            f"{size(found['disk_bytes_per_s'])}/s, by this system from its disk or from what "
            f"lies before that; from opening it to the first answer, sums compared, takes "
            f"{seconds(found['start_s'])}, {start:.2f} times as long as reading it.",
            markdown(
                ["a round of messages", "1 query", "64 queries", "rank 0 busy, 1", "64"], rounds
            ),
        ]
    )
