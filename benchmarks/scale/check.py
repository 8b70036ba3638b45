"""A plan held against what processes of this machine do, and the bars that they are to meet."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import minifloat as mf
from benchmarks.scale import databases, launch, plan
from benchmarks.scale.figures import Figures
from benchmarks.scale.plan import Database, Kind
from benchmarks.scale.tables import markdown, seconds

SIZES = (1, 2, 4)
# Queries of a search, and how often it is timed.
QUERIES = {1: 31, 64: 9, 1024: 3}
LEAST_RATIO, MOST_SHARE, MOST_SECONDS = 0.9, 0.02, 1e-3


class Asked(NamedTuple):
    """What is checked: a database of so many bytes, and beside it one with equal shards."""

    format: mf.Format
    bytes: float
    dim: int
    cores: int
    rows_a_rank: int
    rounds: float
    folder: Path
    k: int = 10


def checked(asked: Asked) -> dict[str, Any]:
    """Return what was measured."""
    rows = int(asked.bytes / Database(1, asked.dim).row_bytes(asked.format))
    path = asked.folder / "all.safetensors"
    databases.made(path, asked.format, rows, asked.dim)
    equal = {}
    for size in SIZES[1:]:
        equal[size] = str(asked.folder / f"equal-{size}.safetensors")
        databases.made(Path(equal[size]), asked.format, size * asked.rows_a_rank, asked.dim)
    given = {
        "sizes": SIZES,
        "path": str(path),
        "equal": equal,
        "dim": asked.dim,
        "k": asked.k,
        "cores": asked.cores,
        "queries": {count: max(1, round(n * asked.rounds)) for count, n in QUERIES.items()},
    }
    found = launch.launched("check", max(SIZES), given)
    return found | {
        "format": str(asked.format),
        "rows": rows,
        "dim": asked.dim,
        "k": asked.k,
        "threads": asked.cores,
        "rows_a_rank": asked.rows_a_rank,
    }


def printed(found: dict[str, Any], figures: Figures) -> str:
    """Return the comparison with a plan, and the bars, in Markdown."""
    headings = ["processes", "threads each", "queries", "measured", "planned", "measured / planned"]
    few = max(SIZES) > found["threads"]
    more = f", where {max(SIZES)} processes share {found['threads']} cores" * few
    about = (
        f"{found['cpu']}, {found['isa']}: {found['rows']:,} rows of {found['dim']} in "
        f"{found['format']}, in memory{more}; medians."
    )
    bars = "\n".join(f"- {line}" for line in bars_of(found))
    return "\n\n".join([about, markdown(headings, _lines(found, figures)), bars])


def _lines(found: dict[str, Any], figures: Figures) -> Iterator[list[str]]:
    database = Database(found["rows"], found["dim"], found["k"])
    format = mf.formats.as_format(found["format"])
    for queries, of_sizes in found["search"].items():
        for size in SIZES:
            cores = found["threads"] / size
            kind = Kind(memory=1, reserve=0, cores=cores)
            given = figures, format, database, size, kind, int(queries)
            planned = plan.scan_seconds(*given) + plan.exchange(*given).seconds
            took = statistics.median(of_sizes[str(size)]["all_s"])
            each = max(1, found["threads"] // size)
            times = [seconds(took), seconds(planned), f"{took / planned:.2f}"]
            yield [str(size), str(each), f"{int(queries):,}", *times]


def bars_of(found: dict[str, Any]) -> Iterator[str]:
    """Yield what is to be met and whether it is, a line each."""
    for queries, of_sizes in found["search"].items():
        one, two = (of_sizes[size]["all_s"] for size in ("1", "2"))
        ratio = statistics.median(a / b for a, b in zip(one, two, strict=True))
        yield (
            f"{_counted(queries)}: 2 processes are {ratio:.2f} times as fast as one with as "
            f"many threads in all (at least {LEAST_RATIO}): {_met(ratio >= LEAST_RATIO)}"
        )
    for size, times in found["equal"].items():
        extra, whole = difference(times), statistics.median(times["all_s"])
        share = extra / whole
        yield (
            f"64 queries, {found['rows_a_rank']:,} rows each of {size} processes: "
            f"{seconds(whole)}, {share:.1%} of it beside the slowest's own search (below "
            f"{MOST_SHARE:.0%}): {_met(share < MOST_SHARE)}; a round alone is "
            f"{found['round_s'][size]['64'] / whole:.1%}"
        )
    for size, times in found["search"]["1"].items():
        if size == "1":
            continue
        extra = difference(times)
        yield (
            f"1 query, {size} processes: {_signed(extra)} beside the slowest's own search "
            f"(below {seconds(MOST_SECONDS)}): {_met(extra < MOST_SECONDS)}; a round alone is "
            f"{seconds(found['round_s'][size]['1'])}"
        )
    yield f"start of {max(SIZES)} processes until they are a group: {seconds(found['processes_s'])}"
    for size, start in found["start"].items():
        share = start["answered_s"] / start["read_s"]
        yield (
            f"{size} of them, file not in memory: opened and first answer after "
            f"{seconds(start['answered_s'])}, {share:.2f} times as long as reading alone"
        )


def difference(times: dict[str, list[float]]) -> float:
    """Return the median of what searches of all ranks take longer than their slowest's own."""
    pairs = zip(times["all_s"], times["own_s"], strict=True)
    return statistics.median(whole - own for whole, own in pairs)


def _counted(queries: str) -> str:
    return "1 query" if queries == "1" else f"{int(queries):,} queries"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"


def _signed(time: float) -> str:
    return f"-{seconds(-time)}" if time < 0 else seconds(time)
