"""The bit-depth study from files to files: load, study, print, write."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

import minifloat as mf
from evaluation.bitdepth.conditions import Condition
from evaluation.bitdepth.report import report
from evaluation.bitdepth.rows import Row
from evaluation.bitdepth.score_plots import threshold_curves, violins
from evaluation.bitdepth.study import ModelStudy, Result, study
from evaluation.bitdepth.tables import csv_text, terminal_table
from evaluation.bitdepth.value_plots import value_histograms
from evaluation.data import Embeddings, load_embeddings, refuse_shared_names
from evaluation.errors import InputError
from evaluation.output import write_whole
from evaluation.report import Figure
from evaluation.trial_lists import load_trial_list
from evaluation.trials import AllPairs, Trials, checked

UNFINISHED = "metrics-unfinished.csv"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for; `thresholds` holds none, one for all, or one per file."""

    files: list[Path]
    trials: Path | None
    thresholds: list[float]
    formats: list[mf.Format]
    draws: int
    seed: int
    tolerance: float
    out: Path
    command: str


def run(options: Options) -> None:
    """Nothing; the tables are printed, and metrics.csv, figures and report.html written.

    Until all is done each finished condition is in UNFINISHED, so that an interruption loses none.
    """
    thresholds = _threshold_per_file(options)
    loaded = [load_embeddings(path) for path in options.files]
    refuse_shared_names(loaded)
    # All input is read before any of it is studied: an error in the last file costs no waiting.
    trials = [_trials(embeddings, options) for embeddings in loaded]
    studies: list[ModelStudy] = []
    figures: dict[str, list[Figure]] = {}
    rows: list[Row] = []
    unfinished = options.out / UNFINISHED

    def keep(result: Result) -> None:
        rows.append(result.row)
        write_whole(unfinished, csv_text(rows))

    for embeddings, pairs, threshold in zip(loaded, trials, thresholds, strict=True):
        outcome = study(
            embeddings,
            pairs,
            formats=options.formats,
            threshold=threshold,
            draws=options.draws,
            seed=options.seed,
            progress=partial(_progress, name=embeddings.name),
            keep=keep,
        )
        print(terminal_table(outcome, tolerance=options.tolerance), end="\n\n", flush=True)
        studies.append(outcome)
        figures[embeddings.name] = _figures(outcome, options)
    page = report(
        studies,
        figures,
        command=options.command,
        draws=options.draws,
        seed=options.seed,
        tolerance=options.tolerance,
    )
    write_whole(options.out / "report.html", page)
    os.replace(unfinished, options.out / "metrics.csv")
    print(f"wrote metrics.csv, {3 * len(studies)} figures and report.html to {options.out}")


def _threshold_per_file(options: Options) -> Sequence[float | None]:
    given, files = options.thresholds, len(options.files)
    if len(given) not in (0, 1, files):
        raise InputError(
            f"--threshold must be given once, or once for each of {files} files; got {len(given)}"
        )
    return [None] * files if not given else given * (files // len(given))


def _trials(embeddings: Embeddings, options: Options) -> Trials:
    if options.trials is None:
        return checked(AllPairs(embeddings), source=embeddings.name)
    return checked(load_trial_list(options.trials, embeddings), source=str(options.trials))


def _progress(conditions: Sequence[Condition], *, name: str) -> Iterable[Condition]:
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(conditions, desc=name, unit=" conditions", leave=False, disable=None) as bar:
        if bar.disable:
            print(f"{name}: {len(conditions)} conditions", file=sys.stderr)
        for condition in bar:
            bar.set_postfix_str(condition.label)
            yield condition


def _figures(outcome: ModelStudy, options: Options) -> list[Figure]:
    name = outcome.name
    smallest = min(options.formats, key=lambda format: format.bits)
    label = smallest.name.upper()
    drawn = [
        Figure(
            slug=f"{name}-scores",
            svg=violins(outcome),
            alt=f"{name}: distributions of the scores of pairs of different speakers and of one "
            "speaker, for every format as it is and scaled, with the threshold.",
            caption="Scores of pairs of different speakers and of one speaker. A pair right of the "
            "dashed line is accepted. Widths show how many pairs, short lines the medians.",
            tall=True,
        ),
        Figure(
            slug=f"{name}-thresholds",
            svg=threshold_curves(outcome, smallest),
            alt=f"{name}: FAR and FRR against the threshold, float32 dashed and {label} solid, "
            "as it is and scaled, with the values at the threshold marked.",
            caption=f"FAR and FRR at every threshold: the nearer the solid lines ({label}) to the "
            "dashed ones (float32), the less is lost. The dotted line is the unchanged threshold, "
            "the points what it yields.",
        ),
        Figure(
            slug=f"{name}-values",
            svg=value_histograms(outcome, smallest),
            alt=f"{name}: values of the embeddings in float32 with the values of {label} marked, "
            f"and their shares after conversion to {label}, as they are and scaled.",
            caption=f"Values of the embeddings before and after conversion to {label}, as they are "
            f"and scaled. Dotted lines are the values that {label} has; the numbers over the bars "
            "are percent.",
        ),
    ]
    for figure in drawn:
        write_whole(options.out / f"{figure.slug}.svg", figure.svg)
    return drawn
