"""The options of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.options import count, names
from evaluation.command.help import HelpFormatter

PROGRAM = "scripts/gpu"
FOLDER = Path("build/gpu")


@dataclass(frozen=True)
class Options:
    """What a run is to do."""

    device: str
    minutes: float
    out: Path
    resume: Path | None
    steps: Sequence[str]
    only: str
    rounds: int
    scale: int
    variants: bool
    registry: str
    commit: str | None


def parser() -> argparse.ArgumentParser:
    """Return the parser; its `--help` says what is done."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="On a machine with an NVIDIA GPU: build minifloat for it, compare answers with "
        "the CPU's, measure encoding, decoding and searching beside the GPU's own limits and other "
        "ways to search, run the behaviour tests and compute-sanitizer; all of it for the CUDA "
        "kernels, then for Triton's. Each step runs in processes of its own: one that hangs or "
        "dies costs the case that it was at. DIR gets report.json, whole at any time, and log.txt. "
        "The exit status is 1 where something failed.",
        formatter_class=HelpFormatter,
    )
    made.add_argument("--minutes", type=_minutes, default=9.0, metavar="N", help="when to stop")
    made.add_argument(
        "--out", type=Path, default=FOLDER, metavar="DIR", help="where the report and the log go"
    )
    made.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="a former report: what it has, and what did not fail there, is not done again",
    )
    made.add_argument(
        "--steps", type=names(str), default=(), metavar="NAMES", help="only these, comma-separated"
    )
    made.add_argument(
        "--only", default="", metavar="TEXT", help="time only cases with this in their names"
    )
    made.add_argument("--rounds", type=count, default=15, metavar="N", help="most rounds of each")
    made.add_argument("--scale", type=count, default=1, metavar="N", help="divisor of all sizes")
    made.add_argument(
        "--variants",
        action="store_true",
        help="after the bars, time each of the CUDA kernels' ways turned off beside all new ones",
    )
    made.add_argument(
        "--device",
        choices=("cuda", "cpu"),
        default="cuda",
        help="cpu tries the flow without a GPU, with --scale 100000 in a minute",
    )
    made.add_argument(
        "--registry",
        default="benchmarks.gpu.groups",
        metavar="MODULE",
        help="the module that has the cases",
    )
    made.add_argument(
        "--commit", metavar="NAME", help="what is recorded as the commit, by default what git says"
    )
    return made


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options; what is wrong is told, with what is allowed."""
    return Options(**vars(parser().parse_args(arguments)))


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text!r}")
    return minutes
