"""Which share of the nearest rows each format finds, and other packages in as many bits.

`python -m benchmarks.recall` prints it of the embeddings of two models and of rows that are made.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import minifloat as mf
from benchmarks.harness.machine import versions
from benchmarks.harness.options import add_out, count, opened, require
from benchmarks.recall.sets import DIM, RECORDINGS, Data, K, data
from benchmarks.recall.ways import PACKAGES, WAYS, standard_error
from evaluation.command.help import HelpFormatter
from evaluation.command.model_files import ModelFile

PROGRAM = "python -m benchmarks.recall"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and append the records to a file if one is named."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument(
        "--rows", type=count, default=50_000, metavar="N", help="how many rows are made"
    )
    parser.add_argument(
        "--embeddings",
        type=ModelFile.parse,
        action="append",
        metavar="FILE",
        help=f"recordings: files as the studies take them; without one the samples of "
        f"{' and '.join(file.name for file in RECORDINGS)}",
    )
    add_out(parser, "set")
    options = parser.parse_args(given)
    require(parser, PACKAGES)
    command = shlex.join([*PROGRAM.split(), *given])
    records = []
    with opened(parser, options.out) as out:
        for some in data(options.rows, options.embeddings or RECORDINGS):
            records.append(_record(some, command))
            if out:
                print(json.dumps(records[-1]), file=out, flush=True)
    print(table(records))


def _record(some: Data, command: str) -> dict[str, Any]:
    # Imported late: it is one of the packages whose absence is told above.
    from tqdm import tqdm

    rows = some.near.rows
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    ways = tqdm(WAYS, desc=some.name, unit="way", leave=False, disable=None)
    return {
        "data": some.name,
        "rows": len(rows),
        "dim": rows.shape[1],
        "queries": len(some.near.queries),
        "k": K,
        "mean": float(rows.mean(0).square().sum()),
        "standard_error": standard_error(some.near),
        "recall": {way.name: way.find(some.job(way.keeps[0] or mf.E2M1)) for way in ways},
        "command": command,
        "versions": versions(("minifloat", "numpy", "torch", *PACKAGES)),
    }


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown: a line for each way, a column for each set of rows."""
    means = [f"{record['mean']:.2f}" for record in records]
    lines = [
        ["", f"bytes, dim {DIM}", *(record["data"] for record in records)],
        ["---"] * (2 + len(records)),
        ["share of the mean", "", *means],
        ["standard error", "", *(f"{record['standard_error']:.4f}" for record in records)],
    ]
    for way in WAYS:
        shares = [f"{record['recall'][way.name]:.3f}" for record in records]
        lines.append([way.name, f"{way.bytes(DIM):,}", *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
