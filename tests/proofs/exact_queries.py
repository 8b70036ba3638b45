"""A million queries whose best rows are searched by codes and originals: none may be missed.

`scripts/test --exact [QUERIES]` compares every answer with that of the float64
cosines of all rows: rows at random, in clusters and in a cone, in every format, with and without a
frame. Prints a line for each; ends with 1 where one was missed.
"""

from __future__ import annotations

import argparse
import sys

import torch

import minifloat as mf
from minifloat.vectors.quantizing import Rounding
from tests.exact.brute import clustered, cosines, in_a_cone
from tests.support.rows import normal

ROWS, DIM, K = 600, 32, 10
TOGETHER = 4000

KINDS = ("random", "clusters", "cone", "cone in a frame", "clusters in a frame, feedback")


def misses(queries: int, kind: str, format: mf.Format) -> int:
    """Return how many of the best rows of so many queries a search has missed."""
    x = normal(ROWS, DIM) if kind == "random" else clustered(ROWS, DIM)
    x = in_a_cone(x) if "cone" in kind else x
    frame = mf.Frame.fit(x, feedback="force") if "frame" in kind else None
    rounding: Rounding = "feedback" if "feedback" in kind else "nearest"
    rows = mf.quantize(x, format, frame=frame, rounding=rounding, errors=True)
    missed = 0
    for first in range(0, queries, TOGETHER):
        some = min(TOGETHER, queries - first)
        near = x[torch.arange(some) % ROWS] + normal(some, DIM, first + 1)
        _, found = mf.search(near, rows, K, originals=x)
        exact = cosines(near, x)
        worst = exact.gather(1, found).amin(1, keepdim=True)
        found_ones = torch.zeros_like(exact, dtype=torch.bool).scatter_(1, found, True)
        # Beside float64's own roundings, none that was left out is above the least that was found.
        missed += int(((exact > worst + 1e-7) & ~found_ones).sum())
    return missed


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    options = argparse.ArgumentParser(prog="scripts/test --exact", description=__doc__)
    options.add_argument("queries", type=int, nargs="?", default=1_000_000, metavar="QUERIES")
    total = options.parse_args(arguments).queries
    each = -(-total // (len(KINDS) * len(mf.FORMATS)))
    missed = 0
    for format in mf.FORMATS:
        for kind in KINDS:
            found = misses(each, kind, format)
            missed += found
            print(f"{format}, {kind}: {each} queries, {found} missed", flush=True)
    print(f"{each * len(KINDS) * len(mf.FORMATS)} queries, {missed} rows missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
