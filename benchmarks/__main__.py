"""The command line: python -m benchmarks ..."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import torch

import minifloat as mf
from benchmarks.codec import DIM
from benchmarks.harness.calls import CallCase, Op, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.device import Processor
from benchmarks.harness.options import add_out, count, counts, finder, names, opened, require
from benchmarks.harness.record import line
from benchmarks.harness.rival import Rival, RivalError, package, rivals_of
from benchmarks.harness.table import table
from benchmarks.registry import OPS, SOURCES, cases
from benchmarks.rivals import RIVALS
from evaluation.command.help import HelpFormatter
from minifloat import _C
from minifloat.formats import as_format

PROGRAM = "python -m benchmarks"
_FACTORS = {"": 1, "K": 2**10, "M": 2**20}
_FOREVER = float("inf")


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
    rivals = _rivals(options.op) if options.rivals else []
    require(parser, (package(rival.name) for rival in rivals))
    setting = Setting(Processor(), options.repeats, rivals=rivals, strict=True)
    torch.set_num_threads(options.threads)
    _C.set_isa(options.isa)
    try:
        with opened(parser, options.out) as out:
            command = shlex.join([*PROGRAM.split(), *given])
            results, left_out = _measured(chosen, setting, out, command)
    except RivalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{_C.isa()}, threads: {torch.get_num_threads()}, median of {options.repeats} rounds")
    print(table(results))
    for name, reason in left_out.items():
        print(f"left out, {name}: {reason}")
    return 0


def _rivals(ops: Sequence[Op]) -> list[Rival[Any]]:
    """Return those that have any of the operations."""
    return list(dict.fromkeys(rival for op in ops for rival in rivals_of(RIVALS, op.name)))


def _measured(
    chosen: Sequence[CallCase], setting: Setting, out: TextIO | None, command: str
) -> tuple[list[tuple[CallCase, dict[str, Any]]], dict[str, str]]:
    """Return what each case has found, and who was left out of any, with the reason."""
    # Imported late: it is one of the packages whose absence is told above.
    from tqdm import tqdm

    results = []
    left_out: dict[str, str] = {}
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(chosen, unit="case", leave=False, disable=None) as bar:
        for case in bar:
            bar.set_postfix_str(str(case))
            outcome = case.measure(setting, _FOREVER)
            results.append((case, outcome.found))
            left_out |= outcome.left_out
            if out:
                print(line(case, outcome.found, command), file=out, flush=True)
    return results, left_out


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; its `--help` says what can be measured."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Measure operations against other packages and against the machine itself, in "
        "turn in one process. Those on each value are measured in two scopes, the public call, "
        "which allocates its result, and the kernel, which writes into memory already in use, and "
        "held against a copy of as many bytes. Scores and search are public calls, held against a "
        "plain read of as many bytes as the database's codes, and against as many products on the "
        "fastest unit of the machine for exact products, tiles included; their GMAC/s are queries "
        "x rows x dim over time. numkong, which has no top-k, gives scores only in a search too.",
        formatter_class=HelpFormatter,
    )
    _add_choices(parser)
    parser.add_argument(
        "--values",
        type=_sizes,
        default="64M,16K,192",
        metavar="SIZES",
        help="values of an input, for operations on each value only, comma-separated: "
        f"up to {DIM}, or a multiple of it; K is 1024, "
        "M is 1024 K; of the default, the first streams from memory, the second stays in cache, "
        "the third shows what a call costs",
    )
    parser.add_argument(
        "--queries",
        type=counts,
        default="1,64",
        metavar="NUMBERS",
        help="queries at once, for scores and search only, comma-separated",
    )
    for option, default_count, text in (
        ("--rows", 200_000, "rows of the database, for scores and search only"),
        ("--dim", DIM, "values of a row, for scores and search only"),
        ("--k", 10, "neighbours that search finds, and by which recall is told of scores too"),
        ("--threads", 1, "most threads that may run"),
        ("--repeats", 15, "rounds, each of which takes every time once"),
    ):
        parser.add_argument(option, type=count, default=default_count, metavar="N", help=text)
    parser.add_argument(
        "--isa", choices=_C.available_isas(), default=_C.isa(), help="instruction set"
    )
    add_out(parser, "result")
    parser.add_argument(
        "--no-rivals", dest="rivals", action="store_false", help="leave other packages out"
    )
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose out of what there is."""
    sources = "what encoders and searches read, dtypes of values or codes for packed queries"
    for option, allowed, find, default, text in (
        ("--op", list(OPS), finder(OPS), None, "operations"),
        ("--format", [f.name for f in mf.FORMATS], as_format, None, "formats"),
        (
            "--source",
            list(SOURCES),
            finder({name: name for name in SOURCES}),
            "float32,codes",
            sources,
        ),
    ):
        parser.add_argument(
            option,
            type=names(find),
            default=default or ",".join(allowed),
            metavar="NAMES",
            help=f"{text}, comma-separated, out of "
            + (", ".join(allowed) if default else "the default"),
        )


def _sizes(text: str) -> list[int]:
    sizes = []
    for word in text.split(","):
        match = re.fullmatch(r"(\d+)([KM]?)", word)
        size = int(match[1]) * _FACTORS[match[2]] if match else 0
        if size < 1 or (size > DIM and size % DIM):
            message = f"must be 1 to {DIM}, or a multiple of it, as 192 or 64M; got {word!r}"
            raise argparse.ArgumentTypeError(message)
        sizes.append(size)
    return sizes


if __name__ == "__main__":
    sys.exit(main())
