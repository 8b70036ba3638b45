"""The command line: python -m benchmarks ..."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

import torch

import minifloat as mf
from benchmarks.cases import DIM, FLOATS, OPS, cases
from benchmarks.record import Result, measure
from benchmarks.rivals import RIVALS, RivalError
from benchmarks.table import table
from minifloat import _C

PROGRAM = "python -m benchmarks"
INSTALL = 'pip install "minifloat[bench]"'
_FACTORS = {"": 1, "K": 2**10, "M": 2**20}

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 for a rival's other answer, 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    options = parser.parse_args(given)
    needed = ["tqdm", *(rival.name for rival in RIVALS if options.rivals)]
    for name in needed:
        if importlib.util.find_spec(name) is None:
            parser.error(f"the benchmarks need {name}, which is not installed; {INSTALL}")
    try:
        opened = _opened(options.out)
    except OSError as error:
        parser.error(f"--out {options.out}: {error.strerror}")
    try:
        with opened as out:
            results = _measured(options, out, command=shlex.join([*PROGRAM.split(), *given]))
    except RivalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{_C.isa()}, threads: {torch.get_num_threads()}, median of {options.repeats} rounds")
    print(table(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Measure operations in two scopes, the public call, which allocates its "
        "result, and the kernel, which writes into memory already in use; each against a copy of "
        "as many bytes and against other packages in the same scope, in turn in one process.",
    )
    for option, allowed, default, text in (
        ("--op", {op.name: op for op in OPS}, "all", "operations"),
        ("--format", {f.name: f for f in mf.FORMATS}, "all", "formats"),
        ("--source", {name: name for name in FLOATS}, "float32", "dtypes that encoders read"),
    ):
        parser.add_argument(
            option,
            type=_names(allowed),
            default=",".join(allowed) if default == "all" else default,
            metavar="NAMES",
            help=f"{text}, comma-separated, out of {', '.join(allowed)}; {default} by default",
        )
    parser.add_argument(
        "--values",
        type=_sizes,
        default="64M,16K,192",
        metavar="SIZES",
        help=f"values of an input, comma-separated: up to {DIM}, or a multiple of it; K is 1024, "
        "M is 1024 K; %(default)s by default: the first streams from memory, the second stays in "
        "cache, the third shows what a call costs",
    )
    for option, default_count, text in (
        ("--threads", 1, "most threads that may run"),
        ("--repeats", 15, "rounds, each of which takes every time once"),
    ):
        help = f"{text}; {default_count} by default"
        parser.add_argument(option, type=_count, default=default_count, metavar="N", help=help)
    parser.add_argument(
        "--isa",
        choices=_C.available_isas(),
        default=_C.isa(),
        help="instruction set; %(default)s by default",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where a JSON line for each result is appended"
    )
    parser.add_argument(
        "--no-rivals", dest="rivals", action="store_false", help="leave other packages out"
    )
    return parser


def _names(allowed: Mapping[str, T]) -> Callable[[str], list[T]]:
    """Return the parser of comma-separated names."""

    def parse(text: str) -> list[T]:
        names = list(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in allowed:
                message = f"must be one of {', '.join(allowed)}; got {name!r}"
                raise argparse.ArgumentTypeError(message)
        return [allowed[name] for name in names]

    return parse


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


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1; got {text!r}")
    return int(text)


def _opened(path: Path | None) -> contextlib.AbstractContextManager[TextIO | None]:
    if path is None:
        return contextlib.nullcontext()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a")


def _measured(options: argparse.Namespace, out: TextIO | None, *, command: str) -> list[Result]:
    # Imported late: it is one of the packages whose absence is told above.
    from tqdm import tqdm

    torch.set_num_threads(options.threads)
    _C.set_isa(options.isa)
    rivals = RIVALS if options.rivals else ()
    chosen = cases(options.op, options.format, options.source, options.values)
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
