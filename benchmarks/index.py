"""What an index takes: rows added, committed, removed, filtered, found and opened.

`python -m benchmarks.index` makes an index of a million rows in a folder, on one thread, and prints
each figure beside what it is compared with in the same run: searches of packed rows, and rows added
to indexes of faiss and turbovec.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from benchmarks.harness.options import count
from evaluation.command.help import HelpFormatter
from minifloat import _C

DIM, K, BATCH = 192, 10, 1000
# Rows of a hundred tenants, of which a filter leaves one.
TENANTS = 100
ROUNDS, COMMITS = 9, 31
QUERIES = (1, 64)


def main() -> None:
    """Print all figures."""
    options = _options()
    os.environ["RAYON_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    x = torch.randn(options.rows, DIM, generator=torch.Generator().manual_seed(0))
    print(f"{_C.isa()}, one thread, {options.rows:,} x {DIM} in {options.format}")
    for line in added(x[: options.added], options.format):
        print(line, flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder, "index")
        before = resident()
        index = mf.Index.create(path, DIM, options.format, columns={"tenant": "integer indexed"})
        start = time.perf_counter()
        index.add(np.arange(len(x)), x, tenant=np.arange(len(x)) % TENANTS)
        index.commit()
        print(f"all rows added and committed at once: {time.perf_counter() - start:.2f} s")
        print(memory(index, before))
        for line in (*searched(index, x), *committed(index, x)):
            print(line, flush=True)
        index.close()
        start = time.perf_counter()
        index = mf.Index.open(path)
        index.search(x[:1], K)
        print(f"opened, first answer: {(time.perf_counter() - start) * 1e3:.0f} ms")


def added(x: Tensor, format: mf.Format) -> Iterator[str]:
    """Yield how long rows take that are added a thousand at a time, and to others' indexes."""
    index = mf.Index.create(None, DIM, format)
    framed = mf.Index.create(None, DIM, format, frame=mf.Frame.fit(x[:5000]))
    ways: dict[str, Callable[[int], object]] = {
        "index": lambda i: index.add(range(i, i + BATCH), x[i : i + BATCH]),
        "index in a frame": lambda i: framed.add(range(i, i + BATCH), x[i : i + BATCH]),
        **_rivals(x.numpy()),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for first in range(0, len(x) - BATCH + 1, BATCH):
        for name, add in ways.items():
            taken[name].append(timed(partial(add, first)))
    base = sum(taken["index"])
    for name, times in taken.items():
        mean, share = statistics.mean(times) * 1e3, sum(times) / base
        yield f"{BATCH} rows added: {name} {mean:.2f} ms, {share:.2f} of index"
    flush = timed(lambda: 0 in index)
    each = flush / len(taken["index"]) * 1e3
    yield f"until SQLite knows them too, which commits wait for: {each:.2f} ms for each {BATCH}"


def committed(index: mf.Index, x: Tensor) -> Iterator[str]:
    """Yield how long commits take of one row and of many, with and without removals."""
    chance, ids = np.random.default_rng(0), iter(range(len(x), 2**40))
    for rows, removals in ((1, 0), (BATCH, 0), (BATCH, BATCH)):
        times = []
        for _ in range(COMMITS):
            index.add([next(ids) for _ in range(rows)], x[:rows], tenant=1)
            gone = chance.choice(len(x), removals, replace=False)
            start = time.perf_counter()
            if removals:
                index.remove(gone, missing="ignore")
            index.commit()
            times.append(time.perf_counter() - start)
        what = f"{rows} added" + (f", {removals} removed" if removals else "")
        yield (
            f"commit of {what}: {statistics.median(times) * 1e3:.2f} ms, "
            f"nine in ten below {sorted(times)[len(times) * 9 // 10] * 1e3:.2f}"
        )


def searched(index: mf.Index, x: Tensor) -> Iterator[str]:
    """Yield how long searches take beside those of packed rows, and with a prepared filter."""
    packed = mf.quantize(x, index.format)
    filter = index.filter("tenant = 7")
    for queries in QUERIES:
        asked = x[5 : 5 + queries].contiguous()
        ways: dict[str, Callable[[], Any]] = {
            "packed rows": lambda asked=asked: mf.search(asked, packed, K),  # type: ignore[misc]
            "index": lambda asked=asked: index.search(asked, K),  # type: ignore[misc]
            "filter": lambda asked=asked: index.search(asked, K, where=filter),  # type: ignore[misc]
        }
        answers = [way() for way in ways.values()]
        assert torch.equal(answers[0][0], answers[1][0])
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(timed(way))
        each = {name: statistics.median(times) for name, times in taken.items()}
        yield (
            f"{queries} queries: packed rows {each['packed rows'] * 1e3:.2f} ms, index "
            f"{each['index'] / each['packed rows']:.3f} of it, of 1 % by a filter "
            f"{each['filter'] / each['index']:.3f} of the index"
        )


def memory(index: mf.Index, before: int) -> str:
    """Return what the process has grown by, beside what is promised."""
    grown = resident() - before
    promised = len(index) * (index.format.row_bytes(DIM) + 24) + (64 << 20)
    return (
        f"memory: {grown / 1e6:.0f} MB more, of {promised / 1e6:.0f} for codes, 24 bytes a row and "
        "64 MiB"
    )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident() -> int:
    """Return the bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _rivals(x: Any) -> dict[str, Callable[[int], object]]:
    """Return how rows are added to others' indexes of 4 bits, those that are installed."""
    ways: dict[str, Callable[[int], object]] = {}
    try:
        import faiss

        faiss.omp_set_num_threads(1)
        kind = faiss.ScalarQuantizer.QT_4bit
        scalar = faiss.IndexScalarQuantizer(DIM, kind, faiss.METRIC_INNER_PRODUCT)
        scalar.train(x[:10_000])
        mapped = faiss.IndexIDMap(scalar)
        ways["faiss SQ4"] = lambda i: mapped.add_with_ids(x[i : i + BATCH], np.arange(i, i + BATCH))
    except ImportError as error:
        print(f"faiss is left out: {error}", file=sys.stderr)
    try:
        import turbovec

        ids = turbovec.IdMapIndex(dim=DIM, bit_width=4)
        ways["turbovec"] = lambda i: ids.add_with_ids(
            x[i : i + BATCH], np.arange(i, i + BATCH, dtype=np.uint64)
        )
    except ImportError as error:
        print(f"turbovec is left out: {error}", file=sys.stderr)
    return ways


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index",
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--rows", type=count, default=1_000_000, help="in the index")
    parser.add_argument(
        "--added", type=count, default=200_000, help="rows that are added a thousand at a time"
    )
    parser.add_argument("--format", type=mf.formats.as_format, default=mf.E2M1, help="of the rows")
    parser.add_argument("--folder", type=Path, help="on the disk that is meant")
    return parser.parse_args()


if __name__ == "__main__":
    main()
