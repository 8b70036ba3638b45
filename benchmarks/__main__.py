"""The command line: python -m benchmarks ..."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import torch

from benchmarks.cases import Case, Rival, RivalError, Sizes
from benchmarks.options import PROGRAM, make_parser, opened, require
from benchmarks.record import Result, measure
from benchmarks.registry import RIVALS, cases
from benchmarks.table import table
from minifloat import _C


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 for a rival's other answer, 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser()
    options = parser.parse_args(given)
    if options.k > options.rows:
        parser.error(f"--k must be 1 to {options.rows}, the rows of the database; got {options.k}")
    sizes = Sizes(options.values, options.queries, options.rows, options.dim, options.k)
    try:
        chosen = cases(options.op, options.format, options.source, sizes)
    except ValueError as error:
        parser.error(f"--source: {error}")
    names = {op.name for op in options.op}
    rivals = [rival for rival in RIVALS if options.rivals and names.intersection(rival.ops)]
    require(parser, rivals)
    try:
        with opened(parser, options.out) as out:
            command = shlex.join([*PROGRAM.split(), *given])
            results = _measured(options, chosen, rivals, out, command=command)
    except RivalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{_C.isa()}, threads: {torch.get_num_threads()}, median of {options.repeats} rounds")
    print(table(results))
    return 0


def _measured(
    options: argparse.Namespace,
    chosen: Sequence[Case],
    rivals: Sequence[Rival[Any]],
    out: TextIO | None,
    *,
    command: str,
) -> list[Result]:
    # Imported late: it is one of the packages whose absence is told above.
    from tqdm import tqdm

    torch.set_num_threads(options.threads)
    _C.set_isa(options.isa)
    results = []
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(chosen, unit="case", leave=False, disable=None) as bar:
        for case in bar:
            bar.set_postfix_str(str(case))
            results.append(measure(case, rivals, options.repeats))
            if out:
                print(results[-1].line(command), file=out, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
