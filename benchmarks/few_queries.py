"""How long searches by few queries take, and which take longer than a search by more queries does.

`python -m benchmarks.few_queries [ROWS]` tells it in CPU time of one thread, which other processes
disturb less than they do a clock: of each number of queries as a multiple of one query's, with `<`
where a larger number of them took clearly less, and of one query as a share of a plain read.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.codec import CODES, DIM
from benchmarks.data import normal_rows, queries_near
from benchmarks.harness.limits import reads
from benchmarks.harness.options import count
from benchmarks.harness.timing import Clock, cpu_clock
from evaluation.command.help import HelpFormatter
from minifloat import _C

QUERIES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
K = 10
ROUNDS = 7
# Times as long as a larger number of queries: more than rounds differ by.
LONGER = 1.1

# Queries as codes or as floats.
Queries = mf.PackedVectors | Tensor


def main() -> None:
    """Print a table for each instruction set, a line for each format and kind of queries."""
    options = _options()
    torch.set_num_threads(1)
    x = normal_rows(options.rows, options.dim, torch.Generator().manual_seed(0))
    queries = queries_near(x, max(QUERIES), torch.Generator().manual_seed(1))
    databases = {format: mf.quantize(x, format) for format in mf.FORMATS}
    for isa in options.isa or [_C.isa()]:
        _C.set_isa(isa)
        print(f"{_C.isa()}, {options.rows:,} rows of {options.dim}, minimum of {ROUNDS} rounds")
        numbers = "".join(f"{number:6} " for number in QUERIES)
        print(f"format  queries  one query  of read{numbers}".rstrip())
        marked = 0
        for format, database in databases.items():
            kinds: dict[str, Queries] = {
                CODES: mf.quantize(queries, format),
                "float32": queries,
            }
            for kind, some in kinds.items():
                times, share = _measured(some, database)
                marked += sum(longer_than_more(times))
                print(f"{format.name:6}  {kind:7}  {line(times, share)}", flush=True)
        print(f"A larger number of queries took less in {marked} places, marked with <.\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.few_queries",
        description=__doc__.partition("\n")[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "rows", type=count, nargs="?", default=100_000, metavar="ROWS", help="rows of the database"
    )
    parser.add_argument("--dim", type=count, default=DIM, metavar="N", help="values of a row")
    parser.add_argument(
        "--isa",
        nargs="+",
        choices=_C.available_isas(),
        metavar="NAME",
        help=f"instruction sets, out of {', '.join(_C.available_isas())} (default: {_C.isa()})",
    )
    return parser.parse_args()


def _measured(queries: Queries, database: mf.PackedVectors) -> tuple[list[float], float | None]:
    """Return the seconds of each number of queries, and one query's share of a plain read.

    The share is None where rows are too few to tell.
    """
    search = partial(mf.search, database=database, k=min(K, len(database)))
    plain = {one.name: one.start() for one in reads(database.codes.nbytes)}
    clocks: dict[int | str, Clock] = {n: cpu_clock(partial(search, queries[:n])) for n in QUERIES}
    clocks |= {name: cpu_clock(run) for name, run in plain.items() if run is not None}
    seconds = least(clocks)
    read = min((seconds[name] for name in plain), default=None)
    return [seconds[n] for n in QUERIES], None if read is None else read / seconds[1]


def least(clocks: Mapping[int | str, Clock]) -> dict[int | str, float]:
    """Return the least seconds of rounds in which each took its turn."""
    taken = [{name: clock() for name, clock in clocks.items()} for _ in range(ROUNDS)]
    return {name: min(times[name] for times in taken) for name in clocks}


def longer_than_more(times: Sequence[float]) -> list[bool]:
    """Return of each time, in order of the queries, whether a later one is clearly less."""
    return [
        any(time > LONGER * later for later in times[at + 1 :]) for at, time in enumerate(times)
    ]


def line(times: Sequence[float], share: float | None) -> str:
    """Return what is told of one query, and each time as a multiple of it, marked or not."""
    told = "-" if share is None else f"{share:.0%}"
    multiples = "".join(
        f"{time / times[0]:6.2f}{'<' if is_longer else ' '}"
        for time, is_longer in zip(times, longer_than_more(times), strict=True)
    )
    return f"{times[0] * 1e3:6.3f} ms  {told:>7}{multiples}".rstrip()


if __name__ == "__main__":
    main()
