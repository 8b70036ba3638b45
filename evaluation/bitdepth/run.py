"""The bit-depth study from files to files: load, study, print, write."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from evaluation.bitdepth.figures.figures import figures
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.options import BitdepthOptions
from evaluation.bitdepth.published import THRESHOLDS
from evaluation.bitdepth.recommendation import recommendation
from evaluation.bitdepth.report import report
from evaluation.bitdepth.study import BitdepthStudy, Task, bitdepth_study
from evaluation.bitdepth.tables.terminal import terminal_table
from evaluation.command.errors import InputError
from evaluation.command.model_files import refuse_shared_names
from evaluation.command.progress import watched
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.embeddings.kaldi import refuse_idle_speakers
from evaluation.page.figure import Figure
from evaluation.page.outcome import Outcome
from evaluation.stored.conditions import Condition
from evaluation.trials.lists import load_trial_list
from evaluation.trials.pairs import AllPairs, Trials, checked

T = TypeVar("T")


def run(options: BitdepthOptions) -> None:
    """Print a table for each model and list, and write metrics.csv, figures and report.html."""
    # All input is read before any of it is studied: an error in the last file costs no waiting.
    tasks = _tasks(options)
    outcome = Outcome(options.out)
    studies: list[BitdepthStudy] = []
    drawn: dict[str, list[Figure]] = {}
    for task in tasks:
        study = bitdepth_study(
            task,
            formats=options.formats,
            draws=options.draws,
            seed=options.seed,
            progress=partial(_progress, name=task.name),
            keep=lambda result: outcome.keep(result.row),
        )
        print(terminal_table(study, tolerance=options.tolerance))
        print(recommendation(study, tolerance=options.tolerance), end="\n\n", flush=True)
        studies.append(study)
        drawn[task.name] = figures(study, options.formats)
        outcome.draw(drawn[task.name])
    outcome.finish(report(studies, drawn, options))


def _tasks(options: BitdepthOptions) -> list[Task]:
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
        if options.cone is not None:
            embeddings = in_a_cone(embeddings, options.cone)
        for name, trial_list in zip(of_file, lists, strict=True):
            task = Task(
                name=name,
                embeddings=embeddings,
                trials=_trials(embeddings, trial_list),
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
    return watched(conditions, name=name, unit="conditions", label=lambda one: one.label)
