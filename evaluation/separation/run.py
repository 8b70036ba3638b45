"""The separation study from files to files: load, study, print, write."""

from collections.abc import Iterable, Sequence
from functools import partial

from evaluation.command.model_files import refuse_shared_names
from evaluation.command.progress import watched
from evaluation.command.sharing import Sharing, shared
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.embeddings.kaldi import refuse_idle_speakers
from evaluation.page.figure import Figure
from evaluation.page.outcome import Outcome
from evaluation.separation.figures.figures import figure_of_formats, figures_of_model
from evaluation.separation.options import SeparationOptions
from evaluation.separation.report import report
from evaluation.separation.speaker_map import required_umap
from evaluation.separation.study import SeparationStudy, Step, separation_study, steps_of
from evaluation.separation.tables.terminal import terminal_table


def run(options: SeparationOptions) -> None:
    """Print a table for each model, and write metrics.csv, figures and report.html."""
    with shared() as sharing:
        _run(options, sharing)


def _run(options: SeparationOptions, sharing: Sharing) -> None:
    loaded = sharing.agreed(lambda: _loaded(options), partial(_digest, options))
    outcome = Outcome(options.out if sharing.is_first else None)
    studies: list[SeparationStudy] = []
    figures: dict[str, list[Figure]] = {}
    for embeddings in loaded:
        study = separation_study(
            embeddings,
            steps_of(options.formats, options.mapped),
            definitions=options.definitions,
            draws=options.draws,
            seed=options.seed,
            progress=partial(_progress, name=embeddings.name),
            keep=lambda result: outcome.keep(result.row),
            sharing=sharing,
        )
        print(terminal_table(study), end="\n\n", flush=True)
        studies.append(study)
        if sharing.is_first:
            figures[embeddings.name] = figures_of_model(study)
    if not sharing.is_first:
        return
    if len(studies) > 1:
        figures[""] = [figure_of_formats(studies)]
    for group in figures.values():
        outcome.draw(group)
    outcome.finish(report(studies, figures, options))


def _digest(options: SeparationOptions, loaded: Sequence[Embeddings]) -> str:
    """Return what tells options and files from all others."""
    return " ".join([options.command, *(embeddings.sha256 for embeddings in loaded)])


def _loaded(options: SeparationOptions) -> list[Embeddings]:
    """Return the embeddings of each file, in a cone if so said."""
    refuse_shared_names([file.name for file in options.files])
    refuse_idle_speakers(options.utt2spk, [file.path for file in options.files])
    loaded = [
        load_embeddings(file.path, name=file.name, utt2spk=options.utt2spk)
        for file in options.files
    ]
    if options.cone is not None:
        loaded = [in_a_cone(embeddings, options.cone) for embeddings in loaded]
    for embeddings in loaded:
        options.definitions.map.check(rows=len(embeddings))
    # What is missing is told before anything is measured, and importing it takes a while.
    required_umap()
    return loaded


def _progress(steps: Sequence[Step], *, name: str) -> Iterable[Step]:
    return watched(
        steps,
        name=name,
        unit="steps",
        label=lambda step: f"{step.condition.label}, {step.space.value}",
    )
