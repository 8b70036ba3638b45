"""A plan as it is printed: its assumptions and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import minifloat as mf
from benchmarks.scale import plan
from benchmarks.scale.figures import Figures
from benchmarks.scale.plan import Database, Gpu, Kind
from benchmarks.scale.tables import markdown, seconds, size, threads
from minifloat.distributed.exchange.messages import FIRST

QUERIES = (1, 64, 4096)
_COUNTS = [f"{count:,}" for count in QUERIES]


class Asked(NamedTuple):
    """What is planned, and from what: figures, rows, formats, and machines of a kind.

    target: seconds that one query may take. disk_machines: how many read rows from their disks.
    """

    figures: Figures
    database: Database
    formats: Sequence[mf.Format]
    kind: Kind
    target: float = 0.05
    disk_machines: int = 1
    gpu: Gpu | None = None


def printed(asked: Asked) -> str:
    """Return the plan, assumptions first, in Markdown."""
    parts = [
        _listed(assumptions(asked)),
        _table(asked),
        _in_time(asked),
        _exchanged(asked),
        *([] if asked.gpu is None else [_listed(_of_gpu(asked.gpu)), _on_gpus(asked, asked.gpu)]),
    ]
    return "\n\n".join(parts)


def assumptions(asked: Asked) -> Iterator[str]:
    """Yield what a plan assumes, a sentence or two each."""
    figures, database, kind, gpu = asked.figures, asked.database, asked.kind, asked.gpu
    beside = ["4 of its norm"]
    beside += ["4 of its coordinate in a frame"] * database.in_frame
    beside += ["1 of its error"] * database.errors
    yield (
        f"{database.rows:,} rows of {database.dim}, k {database.k}; a row has the bytes of its "
        f"codes and {', '.join(beside)}. GB are 10^9 bytes."
    )
    yield (
        f"A machine has {kind.memory:g} GB of memory, of which {kind.reserve:g} GB are kept for "
        f"other things, and {kind.cores:g} cores; all machines have as many rows."
    )
    yield (
        f"Cores are those measured, {figures.cpu}, and do as much each as there, where "
        f"{threads(figures.threads)} had rows of {figures.dim}: products a second, by the queries "
        "of a batch. Nothing but the memory's bandwidth, if one is given, keeps many cores from "
        "being as many times as fast."
    )
    yield (
        f"Memory is read at no more than {kind.memory_bandwidth:g} GB/s a machine; the disk at "
        f"{kind.disk:.3g} GB/s, once for each batch, before it is multiplied and not meanwhile."
    )
    yield (
        "Queries go in batches, as the library makes them: fewer at once where a rank has many "
        "rows. Each batch waits for its exchange, of which the library hides some."
    )
    yield (
        f"Float queries go from one machine to all others; keys come back, {plan.FOUND} bytes "
        f"each, k of each query and machine; the answer, {plan.ANSWERED} bytes a row, goes to all. "
        f"No message is smaller than {FIRST:,} bytes. One network card of {kind.network:g} "
        f"GB/s has all of it, each of {plan.MESSAGES} messages in turn takes {kind.latency:g} us "
        "more, and a round as long as measured between two processes of one machine, and for each "
        "machine more as long as rank 0 was busy with one process more."
    )
    if gpu is not None:
        yield "Of GPUs, see their own table: an estimate that no GPU has confirmed."


def _listed(sentences: Iterator[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(asked: Asked) -> str:
    """Return bytes, machines and seconds of each format."""
    headings = [
        "format",
        "bytes",
        "machines",
        *[f"memory, {count}" for count in _COUNTS],
        f"disk of {asked.disk_machines}, 1",
        *_COUNTS[1:],
    ]
    return markdown(headings, [_line(asked, format) for format in asked.formats])


def _line(asked: Asked, format: mf.Format) -> list[str]:
    database, kind = asked.database, asked.kind
    bytes = database.rows * database.row_bytes(format)
    needed = machines(asked, format)
    given = asked.figures, format, database
    in_memory = [
        plan.scan_seconds(*given, needed, kind, count)
        + plan.exchange(*given, needed, kind, count).seconds
        for count in QUERIES
    ]
    on_disk = [
        plan.disk_seconds(*given, asked.disk_machines, kind, count)
        + plan.exchange(*given, asked.disk_machines, kind, count).seconds
        for count in QUERIES
    ]
    return [str(format), size(bytes), f"{needed:,}", *map(seconds, [*in_memory, *on_disk])]


def _in_time(asked: Asked) -> str:
    """Return how many machines answer one query in time, and what they do then."""
    database, kind = asked.database, asked.kind
    lines = []
    for format in asked.formats:
        given = asked.figures, format, database
        needed = plan.machines_in_time(*given, kind, asked.target)
        if needed is None:
            lines.append([str(format), "none is enough", "-", "-", "-"])
            continue
        each = [
            count
            / (
                plan.scan_seconds(*given, needed, kind, count)
                + plan.exchange(*given, needed, kind, count).seconds
            )
            for count in (1, 64)
        ]
        rows = plan.rows_of_one(database.rows, needed)
        more = needed / machines(asked, format)
        lines.append([str(format), f"{needed:,}", f"{more:.1f}", f"{rows:,}"])
        lines[-1].append(" / ".join(f"{one:,.0f}" for one in each))
    headings = ["format", f"machines for {seconds(asked.target)}", "times those for memory"]
    return markdown([*headings, "rows a machine", "queries a second, by 1 / by 64"], lines)


def _exchanged(asked: Asked) -> str:
    """Return what ranks exchange, of each format and number of queries."""
    lines = []
    for format in asked.formats:
        needed = machines(asked, format)
        for count in QUERIES:
            found = plan.exchange(asked.figures, format, asked.database, needed, asked.kind, count)
            at_once = min(count, plan.batch(asked.database, needed, asked.kind.cores))
            lines.append(
                [str(format), f"{needed:,}", f"{count:,}", f"{at_once:,}"]
                + [size(bytes) for bytes in found[:3]]
                + [seconds(found.seconds)]
            )
    headings = ["format", "machines", "queries", "at once", "queries out", "keys back"]
    return markdown([*headings, "answers out", "exchange"], lines)


def machines(asked: Asked, format: mf.Format) -> int:
    """Return how many machines have all rows in their memory."""
    bytes = asked.database.rows * asked.database.row_bytes(format)
    return plan.machines(bytes, asked.kind.memory, asked.kind.reserve)


def _of_gpu(gpu: Gpu) -> Iterator[str]:
    yield (
        f"An estimate that no GPU has confirmed: GPUs of {gpu.memory:g} GB, of which "
        f"{plan.GPU_RESERVE:.0%} are kept for other things, read rows at {gpu.bandwidth:g} TB/s "
        f"and do {gpu.tops:g} x 10^12 operations a second, two for each product; whichever takes "
        "longer. One machine for each GPU exchanges as above."
    )


def _on_gpus(asked: Asked, gpu: Gpu) -> str:
    lines = []
    for format in asked.formats:
        bytes = asked.database.rows * asked.database.row_bytes(format)
        cards = plan.machines(bytes, gpu.memory, gpu.memory * plan.GPU_RESERVE)
        given = asked.figures, format, asked.database, cards, asked.kind
        times = [
            plan.gpu_seconds(format, asked.database, cards, gpu, count)
            + plan.exchange(*given, count).seconds
            for count in QUERIES
        ]
        lines.append([str(format), f"{cards:,}", *map(seconds, times)])
    return markdown(["format", "GPUs", *[f"GPU, {count} (estimate)" for count in _COUNTS]], lines)
