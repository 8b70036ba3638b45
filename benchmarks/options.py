"""The options of the command line."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeVar

import minifloat as mf
from benchmarks.cases import Rival, package
from benchmarks.elementwise import DIM
from benchmarks.registry import OPS, SOURCES
from evaluation.command.help import HelpFormatter
from minifloat import _C
from minifloat.formats import as_format

PROGRAM = "python -m benchmarks"
INSTALL = 'pip install "minifloat[bench]"'
_FACTORS = {"": 1, "K": 2**10, "M": 2**20}

T = TypeVar("T")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; its `--help` says what can be measured."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Measure operations against other packages and against the machine itself, in "
        "turn in one process. Those on each value are measured in two scopes, the public call, "
        "which allocates its result, and the kernel, which writes into memory already in use, and "
        "held against a copy of as many bytes. Scores and search are public calls, held against a "
        "plain read of as many bytes as the database's codes; their GMAC/s are queries x rows x "
        "dim over time. numkong, which has no top-k, gives scores only in a search too.",
        formatter_class=HelpFormatter,
    )
    for option, allowed, find, default, text in (
        (
            "--op",
            [op.name for op in OPS],
            _finder({op.name: op for op in OPS}),
            None,
            "operations",
        ),
        ("--format", [f.name for f in mf.FORMATS], as_format, None, "formats"),
        (
            "--source",
            SOURCES,
            _finder({name: name for name in SOURCES}),
            "float32,codes",
            "what encoders and searches read, dtypes of values or codes for packed queries",
        ),
    ):
        parser.add_argument(
            option,
            type=_names(find),
            default=default or ",".join(allowed),
            metavar="NAMES",
            help=f"{text}, comma-separated, out of "
            + (", ".join(allowed) if default else "the default"),
        )
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
        type=_counts,
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
        "--isa",
        choices=_C.available_isas(),
        default=_C.isa(),
        help="instruction set",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where a JSON line for each result is appended"
    )
    parser.add_argument(
        "--no-rivals", dest="rivals", action="store_false", help="leave other packages out"
    )
    return parser


def require(parser: argparse.ArgumentParser, rivals: Iterable[Rival[Any]]) -> None:
    """End the command, with how to install it, where a package that it needs is absent."""
    for name in ("tqdm", *(package(rival.name) for rival in rivals)):
        if importlib.util.find_spec(name) is None:
            parser.error(f"the benchmarks need {name}, which is not installed; {INSTALL}")


def opened(
    parser: argparse.ArgumentParser, path: Path | None
) -> contextlib.AbstractContextManager[TextIO | None]:
    """Return the file of `--out`, to be appended to; end the command where it cannot be."""
    if path is None:
        return contextlib.nullcontext()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        parser.error(f"--out {path}: {error.strerror}")


def _names(find: Callable[[str], T]) -> Callable[[str], list[T]]:
    """Return the parser of comma-separated names; what one stands for is taken once."""

    def parse(text: str) -> list[T]:
        try:
            return list(dict.fromkeys(find(name) for name in text.split(",")))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _finder(allowed: Mapping[str, T]) -> Callable[[str], T]:
    def find(name: str) -> T:
        if name not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}; got {name!r}")
        return allowed[name]

    return find


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


def count(text: str) -> int:
    """Return the whole number, at least 1, that a text says."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1; got {text!r}")
    return int(text)


def _counts(text: str) -> list[int]:
    return [count(word) for word in text.split(",")]
