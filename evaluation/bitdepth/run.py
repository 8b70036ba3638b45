"""The bit-depth study from files to files: load, study, print, write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from evaluation.command.model_files import ModelFile, refuse_shared_names
from evaluation.command.progress import watched
from evaluation.command.sharing import Sharing, shared
from evaluation.embeddings.cohort import Cohort, load_cohort
from evaluation.embeddings.cone import cone_of
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.embeddings.kaldi import refuse_idle_speakers
from evaluation.files.reading import sha256_of
from evaluation.page.figure import Figure
from evaluation.page.outcome import Outcome
from evaluation.stored.conditions import Condition
from evaluation.stored.normalisation import REACH
from evaluation.trials.lists import load_trial_list
from evaluation.trials.pairs import AllPairs, Trials, checked

T = TypeVar("T")


def run(options: BitdepthOptions) -> None:
    """Print a table for each model and list, and write metrics.csv, figures and report.html."""
    with shared() as sharing:
        _run(options, sharing)


def _run(options: BitdepthOptions, sharing: Sharing) -> None:
    # All input is read before any of it is studied: an error in the last file costs no waiting.
    tasks = sharing.agreed(lambda: _tasks(options, sharing), partial(_digest, options))
    for task in tasks:
        task.check_cohort()
    outcome = Outcome(options.out if sharing.is_first else None)
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
        drawn[task.name] = figures(study, options.formats) if sharing.is_first else []
        outcome.draw(drawn[task.name])
    outcome.finish(report(studies, drawn, options))


def _digest(options: BitdepthOptions, tasks: Sequence[Task]) -> str:
    """Return what tells options and files from all others."""
    cohorts = [task.cohort.sha256 if task.cohort else "" for task in tasks]
    files = [task.embeddings.sha256 for task in tasks]
    lists = [sha256_of(one) for one in options.trials]
    return " ".join([options.command, *files, *cohorts, *lists])


def _tasks(options: BitdepthOptions, sharing: Sharing) -> list[Task]:
    points, cohorts = _operating_points(options), _cohorts(options)
    lists: list[Path | None] = [*options.trials] or [None]
    ends = [f"-{one.name.partition('.')[0]}" if one and len(lists) > 1 else "" for one in lists]
    names = [[file.name + end for end in ends] for file in options.files]
    refuse_shared_names([file.name for file in options.files])
    refuse_shared_names([name for of_file in names for name in of_file], what="models with lists")
    given = [*(file.path for file in options.files), *options.cohorts]
    refuse_idle_speakers(options.utt2spk, given)
    tasks = []
    for file, point, cohort_file, of_file in zip(
        options.files, points, cohorts, names, strict=True
    ):
        embeddings, cohort = _loaded(file, cohort_file, options)
        for name, trial_list in zip(of_file, lists, strict=True):
            task = Task(
                name=name,
                embeddings=embeddings,
                trials=_trials(embeddings, trial_list, sharing),
                operating_point=point.at,
                published=point.published,
                cohort=cohort,
            )
            tasks.append(task)
    return tasks


def _loaded(
    file: ModelFile, cohort_file: Path | None, options: BitdepthOptions
) -> tuple[Embeddings, Cohort | None]:
    """Return the embeddings of a file, in a cone if so said, and their cohort."""
    embeddings = load_embeddings(file.path, name=file.name, utt2spk=options.utt2spk)
    cone = None if options.cone is None else cone_of(embeddings, options.cone)
    embeddings = embeddings if cone is None else cone.of(embeddings)
    if cohort_file is None:
        return embeddings, None
    cohort = load_cohort(
        cohort_file, embeddings, top=options.cohort_top, utt2spk=options.utt2spk, cone=cone
    )
    return embeddings, cohort


def _cohorts(options: BitdepthOptions) -> Sequence[Path | None]:
    """Return the cohort of each file, or None for each: no two models have the same."""
    files, cohorts = len(options.files), options.cohorts
    if len(cohorts) not in (0, files):
        raise InputError(
            f"--cohort must be given for each of {files} files, of the same model; got "
            f"{len(cohorts)}"
        )
    if options.cohort_top is not None and not cohorts:
        raise InputError(f"--cohort-top is of a --cohort; got {options.cohort_top} and none")
    return cohorts or [None] * files


@dataclass(frozen=True, kw_only=True)
class _Point:
    """Where rates of a file are taken, and the published model whose threshold it is."""

    at: OperatingPoint
    published: str | None


def _operating_points(options: BitdepthOptions) -> list[_Point]:
    files = len(options.files)
    thresholds = _per_file("--threshold", options.thresholds, files)
    fars = _per_file("--far", options.fars, files)
    reach = REACH if options.cohorts else 1
    points = []
    for threshold, far in zip(thresholds, fars, strict=True):
        published = threshold if isinstance(threshold, str) else None
        if published is not None and options.cohorts:
            raise InputError(
                f"the published threshold of {published} is a cosine, and with --cohort scores are "
                "normalised: --threshold must be a number there"
            )
        score = THRESHOLDS[threshold] if isinstance(threshold, str) else threshold
        at = OperatingPoint(score=score, far=far, reach=reach)
        points.append(_Point(at=at, published=published))
    return points


def _per_file(option: str, given: Sequence[T], files: int) -> Sequence[T | None]:
    if len(given) not in (0, 1, files):
        raise InputError(
            f"{option} must be given once, or once for each of {files} files; got {len(given)}"
        )
    return [None] * files if not given else [*given] * (files // len(given))


def _trials(embeddings: Embeddings, trial_list: Path | None, sharing: Sharing) -> Trials:
    if trial_list is None:
        return checked(AllPairs(embeddings, sharing=sharing), source=embeddings.name)
    trials = load_trial_list(trial_list, embeddings, sharing=sharing)
    return checked(trials, source=str(trial_list))


def _progress(conditions: Sequence[Condition], *, name: str) -> Iterable[Condition]:
    return watched(conditions, name=name, unit="conditions", label=lambda one: one.label)
