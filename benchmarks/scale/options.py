"""What `python -m benchmarks.scale` is called with."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path

import minifloat as mf
from benchmarks.harness.options import count, names
from evaluation.command.help import HelpFormatter

_FIGURES = "figures of a machine, in JSON as the record has them; the record's without one"
_FORMATS = ",".join(map(str, mf.FORMATS))


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the program for any that are not taken."""
    parser = argparse.ArgumentParser(
        prog="scripts/scale",
        description="Databases that outgrow one machine: what they take, measured and planned.",
        formatter_class=HelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, formatter_class=HelpFormatter)

    _plan(command("plan", "bytes, machines, seconds and exchange, of measured figures"))
    _measure(command("measure", "what this machine does, as a plan takes it"))
    _check(command("check", "a plan held against processes of this machine, and its bars"))
    _lists(command("lists", "what lists of rows around centres find, and how fast"))
    command("page", "puts the record's figures into docs/performance/scale.md")
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        parser.exit()
    return options


def positive(text: str) -> float:
    """Return the number above 0 that a text says."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text!r}")
    return number


def whole(text: str) -> int:
    """Return the whole number above 0 that a text says, such as 1e9."""
    number = positive(text)
    if number != int(number):
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1; got {text!r}")
    return int(number)


def not_negative(text: str) -> float:
    """Return the number, at least 0, that a text says."""
    return 0.0 if text in ("0", "0.0") else positive(text)


def _plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--figures", type=Path, metavar="FILE", help=_FIGURES)
    add("--rows", type=whole, default="1e9", metavar="N", help="rows of the database")
    add("--dim", type=whole, default=256, metavar="N", help="values of a row")
    add("--k", type=whole, default=10, metavar="N", help="rows that a query finds")
    _formats(parser, help="comma-separated; all that the figures have without it")
    add("--frame", action="store_true", help="rows have coordinates in a frame")
    add("--errors", action="store_true", help="rows keep errors, by which originals prove answers")
    add("--memory", type=positive, default=256, metavar="GB", help="of a machine")
    add("--reserve", type=not_negative, default=32, metavar="GB", help="kept for other things")
    add("--cores", type=positive, default=32, metavar="N", help="of a machine")
    add("--target", type=positive, default=50, metavar="MS", help="that one query may take")
    add("--memory-bandwidth", type=positive, default=200, metavar="GB/s", help="of a machine")
    add("--disk", type=positive, metavar="GB/s", help="of a machine's disk; as measured without it")
    add("--disk-machines", type=whole, default=1, metavar="N", help="that search from their disks")
    add("--network", type=positive, default=1.25, metavar="GB/s", help="of one network card")
    add("--latency", type=not_negative, default=50, metavar="US", help="microseconds of a message")
    add("--gpu-memory", type=positive, default=80, metavar="GB", help="of a GPU")
    add("--gpu-bandwidth", type=positive, metavar="TB/s", help="at which a GPU reads rows")
    add("--gpu-tops", type=positive, metavar="N", help="10^12 operations a second of a GPU")


def _measure(parser: argparse.ArgumentParser) -> None:
    _formats(parser, default=_FORMATS, help="comma-separated")
    _shared(parser)
    parser.add_argument(
        "--rows", type=whole, default="4e6", metavar="N", help="rows of each format: 1 GB in 8 bits"
    )
    parser.add_argument("--rounds", type=count, default=9, metavar="N", help="of which the median")


def _check(parser: argparse.ArgumentParser) -> None:
    _shared(parser)
    _format(parser)
    add = parser.add_argument
    add("--figures", type=Path, metavar="FILE", help=_FIGURES)
    add("--gigabytes", type=positive, default=1, metavar="GB", help="of the database")
    add(
        "--rows-a-rank",
        type=whole,
        default="1e6",
        metavar="N",
        help="of which the exchange's share is told",
    )
    add("--rounds", type=positive, default=1, metavar="N", help="times as many as there are")


def _lists(parser: argparse.ArgumentParser) -> None:
    _shared(parser, threads=1)
    _format(parser)
    add = parser.add_argument
    add("--rows", type=whole, default="1e6", metavar="N", help="rows that are made")
    add("--queries", type=count, default=500, metavar="N", help="of each set")
    add("--rounds", type=count, default=9, metavar="N", help="of which the median")
    add(
        "--embeddings",
        type=Path,
        action="append",
        metavar="FILE",
        help=".npz with `embeddings`, to be studied too",
    )


def _formats(parser: argparse.ArgumentParser, help: str, default: str | None = None) -> None:
    add = parser.add_argument
    add("--formats", type=names(mf.formats.as_format), default=default, metavar="NAMES", help=help)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", type=mf.formats.as_format, default="e3m4", metavar="NAME", help="of the rows"
    )


def _shared(parser: argparse.ArgumentParser, threads: int | None = os.cpu_count()) -> None:
    add = parser.add_argument
    add("--dim", type=whole, default=256, metavar="N", help="values of a row")
    add("--threads", type=count, default=threads, metavar="N", help="in all")
    add("--folder", type=Path, metavar="PATH", help="on the disk that is meant")
    add("--record", action="store_true", help="put what is found into benchmarks/results")
