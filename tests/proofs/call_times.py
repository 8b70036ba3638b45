"""What a call costs on inputs so small that nothing else counts, as a multiple of a call of torch.

python -m tests.proofs.call_times

prints the multiples beside those on record and fails where one has more than doubled;
`--record` writes them. The clock is read in turn for both, so that a slow machine slows both, and
the least time of many rounds counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from timeit import Timer

import torch

import minifloat as mf
from tests.support.paths import ROOT

RECORD = ROOT / "tests" / "proofs" / "call_times.json"
MOST_GROWTH = 2.0
ROUNDS, CALLS = 40, 200
DIM = 192


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 1 where a call costs more than on record."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.call_times", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--record", action="store_true", help="write what is found")
    options = parser.parse_args(arguments)
    found = multiples(calls())
    if options.record:
        RECORD.write_text(json.dumps(found, indent=2) + "\n")
    known: dict[str, float] = json.loads(RECORD.read_text())
    for name, multiple in found.items():
        print(f"{name}: {multiple} calls of torch.clamp, {known[name]} on record")
    return int(any(found[name] > MOST_GROWTH * known[name] for name in found))


def calls() -> dict[str, Callable[[], object]]:
    """Return the calls by name."""
    x = torch.randn(1, DIM, generator=torch.Generator().manual_seed(0))
    rows = mf.quantize(x.expand(10, DIM), mf.E2M1)
    codes, one = mf.encode(x, mf.E2M1), rows[:1]
    pairs = torch.zeros(1, 2, dtype=torch.int64)
    return {
        "encode": lambda: mf.encode(x, mf.E2M1),
        "decode": lambda: mf.decode(codes, mf.E2M1),
        "encode_pack": lambda: mf.encode_pack(x, mf.E2M1),
        "quantize": lambda: mf.quantize(x, mf.E2M1),
        "scores": lambda: mf.scores(one, rows),
        "scores of floats": lambda: mf.scores(x, rows),
        "scores of pairs": lambda: mf.scores(one, rows, pairs=pairs),
        "search": lambda: mf.search(one, rows, 3),
        "search of floats": lambda: mf.search(x, rows, 3),
    }


def multiples(timed: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least time of each call over that of one of torch."""
    x = torch.randn(1, DIM)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        timers = {"": Timer(lambda: torch.clamp(x, -1, 1))}
        timers |= {name: Timer(call) for name, call in timed.items()}
        least = {name: timer.timeit(CALLS) for name, timer in timers.items()}
        for _ in range(ROUNDS):
            for name, timer in timers.items():
                least[name] = min(least[name], timer.timeit(CALLS))
    finally:
        torch.set_num_threads(threads)
    return {name: round(least[name] / least[""], 2) for name in timed}


if __name__ == "__main__":
    sys.exit(main())
