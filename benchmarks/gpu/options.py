"""The options of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.gpu.devices import DEVICES
from benchmarks.options import count

PROGRAM = "python -m benchmarks.gpu"
RESULTS = Path("benchmarks/results")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; its `--help` says what is measured."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Run the behaviour tests on the current GPU's backends, then measure encoding, "
        "decoding and searching there: in turn with the GPU's own copies, reads and matrix "
        "products and with other ways to search, whose answers are checked first. The result is "
        "one JSON file, whole after each case. What fails is recorded in it with the reason, and "
        "the rest goes on; the exit status is 1 then.",
    )
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="cuda",
        help="%(default)s by default; cpu tries the whole flow, with --scale 100000 in seconds",
    )
    parser.add_argument(
        "--scale", type=count, default=1, metavar="N", help="divisor of all sizes; 1 by default"
    )
    parser.add_argument(
        "--backend",
        type=lambda text: tuple(dict.fromkeys(text.split(","))),
        metavar="NAMES",
        help="backends, comma-separated; by default all that serve the device",
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="measure only cases with this in their names, such as 'search, queries 64'",
    )
    parser.add_argument(
        "--rounds", type=count, default=15, metavar="N", help="most rounds; %(default)s by default"
    )
    parser.add_argument(
        "--minutes",
        type=_minutes,
        default=6.5,
        metavar="N",
        help="when to stop, of which tests take a third at most; %(default)s by default",
    )
    parser.add_argument(
        "--no-suite", dest="suite", action="store_false", help="leave the tests and sanitizers out"
    )
    parser.add_argument(
        "--commit", metavar="NAME", help="what is recorded as the commit where git cannot tell it"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"the JSON file; {RESULTS}/<device name>.json by default",
    )
    return parser


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text!r}")
    return minutes
