"""The bit-depth study from files to files: load, study, print, write."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

import minifloat as mf
from evaluation.bitdepth.figures import figures
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.overflow import first_to_overflow, overflows
from evaluation.bitdepth.published import THRESHOLDS
from evaluation.bitdepth.recommendation import recommendation
from evaluation.bitdepth.report import Extras, report
from evaluation.bitdepth.rows import Row
from evaluation.bitdepth.speed import speeds
from evaluation.bitdepth.study import ModelStudy, Result, study
from evaluation.bitdepth.tables import terminal_table
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.command.errors import InputError
from evaluation.command.model_files import ModelFile, refuse_shared_names
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.embeddings.kaldi import refuse_idle_speakers
from evaluation.files.writing import make_folder, write_whole
from evaluation.page.rows_csv import csv_text
from evaluation.stored.conditions import Condition
from evaluation.trials.lists import load_trial_list
from evaluation.trials.pairs import AllPairs, Trials, checked

UNFINISHED = "metrics-unfinished.csv"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for.

    `thresholds` and `fars` hold none, one for all, or one per file; one of the two holds none. A
    threshold that is a name is that of a published model. Without `trials` all pairs are made.
    """

    files: list[ModelFile]
    utt2spk: Path | None
    trials: list[Path]
    thresholds: list[float | str]
    fars: list[float]
    formats: list[mf.Format]
    draws: int
    seed: int
    tolerance: Tolerance
    speed: bool
    out: Path
    command: str


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One model on one set of trials."""

    name: str
    embeddings: Embeddings
    trials: Trials
    operating_point: OperatingPoint
    published: str | None


def run(options: Options) -> None:
    """Nothing; the tables are printed, and metrics.csv, figures and report.html written.

    Until all is done each finished condition is in UNFINISHED, so that an interruption loses none.
    """
    # All input is read before any of it is studied: an error in the last file costs no waiting.
    tasks = _tasks(options)
    make_folder(options.out)
    studies: list[ModelStudy] = []
    extras: dict[str, Extras] = {}
    rows: list[Row] = []
    unfinished = options.out / UNFINISHED

    def keep(result: Result) -> None:
        rows.append(result.row)
        write_whole(unfinished, csv_text(rows))

    for task in tasks:
        outcome = study(
            task.embeddings,
            task.trials,
            name=task.name,
            formats=options.formats,
            operating_point=task.operating_point,
            draws=options.draws,
            seed=options.seed,
            progress=partial(_progress, name=task.name),
            keep=keep,
        )
        print(terminal_table(outcome, tolerance=options.tolerance))
        print(recommendation(outcome, tolerance=options.tolerance), end="\n\n", flush=True)
        studies.append(outcome)
        extras[task.name] = _extras(outcome, task, options)
    page = report(
        studies,
        extras,
        command=options.command,
        draws=options.draws,
        seed=options.seed,
        tolerance=options.tolerance,
    )
    write_whole(options.out / "report.html", page)
    write_whole(options.out / "metrics.csv", csv_text(rows))
    unfinished.unlink()
    drawn = sum(len(extra.figures) for extra in extras.values())
    print(f"wrote metrics.csv, {drawn} figures and report.html to {options.out}")


def _tasks(options: Options) -> list[_Task]:
    files = len(options.files)
    thresholds = _per_file("--threshold", options.thresholds, files)
    fars = _per_file("--far", options.fars, files)
    lists: list[Path | None] = [*options.trials] or [None]
    ends = [f"-{one.name.partition('.')[0]}" if one and len(lists) > 1 else "" for one in lists]
    names = [[file.name + end for end in ends] for file in options.files]
    refuse_shared_names([file.name for file in options.files])
    refuse_shared_names([name for of_file in names for name in of_file], what="models with lists")
    refuse_idle_speakers(options.utt2spk, [file.path for file in options.files])
    tasks = []
    for file, threshold, far, of_file in zip(options.files, thresholds, fars, names, strict=True):
        published = threshold if isinstance(threshold, str) else None
        cosine = THRESHOLDS[threshold] if isinstance(threshold, str) else threshold
        operating_point = OperatingPoint(cosine=cosine, far=far)
        embeddings = load_embeddings(file.path, name=file.name, utt2spk=options.utt2spk)
        for name, trial_list in zip(of_file, lists, strict=True):
            trials = _trials(embeddings, trial_list)
            operating_point.check(trials, source=name)
            task = _Task(
                name=name,
                embeddings=embeddings,
                trials=trials,
                operating_point=operating_point,
                published=published,
            )
            tasks.append(task)
    return tasks


def _per_file(option: str, given: Sequence[T], files: int) -> Sequence[T | None]:
    if len(given) not in (0, 1, files):
        raise InputError(
            f"{option} must be given once, or once for each of {files} files; got {len(given)}"
        )
    return [None] * files if not given else [*given] * (files // len(given))


def _trials(embeddings: Embeddings, trial_list: Path | None) -> Trials:
    if trial_list is None:
        return checked(AllPairs(embeddings), source=embeddings.name)
    return checked(load_trial_list(trial_list, embeddings), source=str(trial_list))


def _progress(conditions: Sequence[Condition], *, name: str) -> Iterable[Condition]:
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(conditions, desc=name, unit=" conditions", leave=False, disable=None) as bar:
        if bar.disable:
            print(f"{name}: {len(conditions)} conditions", file=sys.stderr)
        for condition in bar:
            bar.set_postfix_str(condition.label)
            yield condition


def _extras(outcome: ModelStudy, task: _Task, options: Options) -> Extras:
    drawn = figures(outcome, options.formats)
    for figure in drawn:
        write_whole(options.out / f"{figure.slug}.svg", figure.svg)
    format = first_to_overflow(options.formats)
    return Extras(
        figures=drawn,
        published=task.published,
        overflow_format=format,
        overflows=(
            overflows(outcome, format, draws=options.draws, seed=options.seed) if format else []
        ),
        speeds=speeds(task.embeddings, options.formats) if options.speed else [],
    )
