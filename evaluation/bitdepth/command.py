"""The command line of the bit-depth study: python -m evaluation bitdepth ..."""

import argparse
import math
from pathlib import Path

from evaluation.bitdepth.published import THRESHOLDS
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.command.errors import InputError
from evaluation.command.help import HelpFormatter
from evaluation.command.model_files import ModelFile
from evaluation.command.options import (
    add_cone,
    add_draws,
    add_formats,
    add_out,
    add_utt2spk,
    study_options,
)
from evaluation.command.packages import require
from evaluation.embeddings.cohort import TOP
from evaluation.files.study_file import add_study_option

EXTRA = ("matplotlib", "jinja2", "tqdm")
INSTALL = 'pip install "minifloat[evaluation]"'
INTERRUPTED = "interrupted; what was finished is in the output folder"


def add_parser(
    studies: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> dict[str, argparse.Action]:
    """Return the options by the names that a study file gives them; the command is added."""
    parser = studies.add_parser(
        "bitdepth",
        help="what fewer bits per value cost in speaker verification",
        description="Store embeddings in each format, as they are, scaled to its range and in a "
        "frame, compare both sides in it, and report FAR, FRR and EER with 95 % intervals. Prints "
        "a table per model; writes metrics.csv, figures (SVG) and report.html.",
        formatter_class=HelpFormatter,
    )
    files = parser.add_argument(
        "files",
        nargs="*",
        type=ModelFile.parse,
        metavar="FILE",
        help="one a model: .npz with embeddings (rows, dim), speaker (rows,) and, for --trials, "
        "utterance (rows,); .safetensors of the extract command; .ark or .scp of Kaldi; .json of "
        "the published separation study; NAME=FILE names the model otherwise than its file",
    )
    utt2spk = add_utt2spk(parser)
    trials = parser.add_argument(
        "--trials",
        type=Path,
        action="append",
        default=[],
        metavar="LIST",
        help="lines of 'label path path' (VoxCeleb), 'name name target' (Kaldi), or .csv with a "
        "column 'label'; .gz too; several are studied one after the other; without one all pairs",
    )
    named = [trials, utt2spk, *_add_operating_points(parser), *_add_cohort(parser)]
    named.append(add_formats(parser))
    named += [add_cone(parser), *add_draws(parser), *_add_tolerance(parser)]
    named.append(
        parser.add_argument(
            "--speed",
            action="store_true",
            help="measure searches too: times differ from run to run, unlike all other numbers",
        )
    )
    named.append(add_out(parser, "bitdepth-report"))
    add_study_option(parser)
    parser.set_defaults(run=_bitdepth, interrupted=INTERRUPTED)
    return {"files": files} | {action.dest: action for action in named}


def _add_operating_points(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    threshold = parser.add_argument(
        "--threshold",
        type=_threshold,
        action="append",
        default=[],
        metavar="COSINE",
        help="where FAR and FRR are taken, once or once per FILE: a cosine (with --cohort a "
        "normalised score), or a model of the "
        f"published study ({', '.join(THRESHOLDS)}) for its threshold and, where the list is one "
        "of the study's, its rates; without it or --far where float32's meet",
    )
    far = parser.add_argument(
        "--far",
        type=_far,
        action="append",
        default=[],
        metavar="RATE",
        help="instead of --threshold, once or once per FILE: FAR and FRR are taken at the lowest "
        "threshold at which float32's FAR is at most this, such as 0.1% or 0.001",
    )
    return [threshold, far]


def _add_cohort(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    cohort = parser.add_argument(
        "--cohort",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="normalise scores (AS-norm) by other speakers, once per FILE: embeddings of the same "
        "model in a file of any of these kinds; a score then tells how far a cosine lies above the "
        "largest that either side has with them",
    )
    top = parser.add_argument(
        "--cohort-top",
        type=int,
        metavar="N",
        help=f"so many of the largest scores with a cohort count; without it {TOP}, or all of a "
        "smaller cohort",
    )
    return [cohort, top]


def _add_tolerance(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    points = parser.add_argument(
        "--tolerance",
        type=float,
        default=100 * Tolerance().points,
        metavar="POINTS",
        help="percentage points by which FAR, FRR and EER may each rise; a format is recommended "
        "where the 95 % intervals show that they do not rise by more",
    )
    share = parser.add_argument(
        "--relative-tolerance",
        type=float,
        default=100 * Tolerance().share,
        metavar="PERCENT",
        help="percent of float32's rate by which each may rise: both limits hold, this one where "
        "rates are low",
    )
    return [points, share]


def _threshold(text: str) -> float | str:
    if text in THRESHOLDS:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a cosine or one of {', '.join(THRESHOLDS)}; got '{text}'"
        ) from None


def _far(text: str) -> float:
    digits, percent, rest = text.partition("%")
    try:
        rate = float(digits) / (100 if percent else 1)
    except ValueError:
        rate = math.nan
    if not 0 < rate < 1 or rest:
        raise argparse.ArgumentTypeError(
            "must be a share above 0 and below 1, such as 0.001, or as many percent, such as 0.1%; "
            f"got '{text}'"
        )
    return rate


def _bitdepth(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="the studies need", install=INSTALL)
    # Imported late: it needs the packages whose absence is told above.
    from evaluation.bitdepth.options import BitdepthOptions
    from evaluation.bitdepth.run import run

    shared = study_options(given, command=command)
    limits = (("tolerance", given.tolerance), ("relative-tolerance", given.relative_tolerance))
    for option, limit in limits:
        if not (math.isfinite(limit) and limit > 0):
            raise InputError(f"--{option} must be above 0 and finite; got {limit}")
    if given.threshold and given.far:
        raise InputError("--threshold and --far both choose where rates are taken: give one")
    run(
        BitdepthOptions(
            **vars(shared),
            trials=given.trials,
            thresholds=given.threshold,
            fars=given.far,
            tolerance=Tolerance(points=given.tolerance / 100, share=given.relative_tolerance / 100),
            speed=given.speed,
            cohorts=given.cohort,
            cohort_top=given.cohort_top,
        )
    )
