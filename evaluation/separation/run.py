"""The separation study from files to files: load, study, print, write."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

import minifloat as mf
from evaluation.command.model_files import ModelFile, refuse_shared_names
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.embeddings.kaldi import refuse_idle_speakers
from evaluation.files.writing import make_folder, write_whole
from evaluation.page.figure import Figure
from evaluation.page.rows_csv import csv_text
from evaluation.separation.figures import figure_of_formats, figures_of_model
from evaluation.separation.report import report
from evaluation.separation.speaker_map import MapOptions, required_umap
from evaluation.separation.study import ModelStudy, Result, Row, Step, study
from evaluation.separation.tables import terminal_table

UNFINISHED = "metrics-unfinished.csv"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for; `mapped` are the formats, besides float32, with a map."""

    files: list[ModelFile]
    utt2spk: Path | None
    formats: list[mf.Format]
    mapped: list[mf.Format]
    map: MapOptions
    draws: int
    seed: int
    out: Path
    command: str


def run(options: Options) -> None:
    """Nothing; the tables are printed, and metrics.csv, figures and report.html written.

    Until all is done each finished step is in UNFINISHED, so that an interruption loses none.
    """
    refuse_shared_names([file.name for file in options.files])
    refuse_idle_speakers(options.utt2spk, [file.path for file in options.files])
    loaded = [
        load_embeddings(file.path, name=file.name, utt2spk=options.utt2spk)
        for file in options.files
    ]
    for embeddings in loaded:
        options.map.check(rows=len(embeddings))
    # What is missing is told before anything is measured, and importing it takes a while.
    required_umap()
    make_folder(options.out)
    studies: list[ModelStudy] = []
    figures: dict[str, list[Figure]] = {}
    rows: list[Row] = []
    unfinished = options.out / UNFINISHED

    def keep(result: Result) -> None:
        rows.append(result.row)
        write_whole(unfinished, csv_text(rows))

    for embeddings in loaded:
        outcome = study(
            embeddings,
            formats=options.formats,
            mapped=options.mapped,
            options=options.map,
            draws=options.draws,
            seed=options.seed,
            progress=partial(_progress, name=embeddings.name),
            keep=keep,
        )
        print(terminal_table(outcome), end="\n\n", flush=True)
        studies.append(outcome)
        figures[embeddings.name] = figures_of_model(outcome)
    if len(studies) > 1:
        figures[""] = [figure_of_formats(studies)]
    drawn = [figure for group in figures.values() for figure in group]
    for figure in drawn:
        write_whole(options.out / f"{figure.slug}.svg", figure.svg)
    page = report(
        studies,
        figures,
        command=options.command,
        draws=options.draws,
        seed=options.seed,
        options=options.map,
    )
    write_whole(options.out / "report.html", page)
    write_whole(options.out / "metrics.csv", csv_text(rows))
    unfinished.unlink()
    print(f"wrote metrics.csv, {len(drawn)} figures and report.html to {options.out}")


def _progress(steps: Sequence[Step], *, name: str) -> Iterable[Step]:
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    with tqdm(steps, desc=name, unit=" steps", leave=False, disable=None) as bar:
        if bar.disable:
            print(f"{name}: {len(steps)} steps", file=sys.stderr)
        for step in bar:
            bar.set_postfix_str(f"{step.condition.label}, {step.space.value}")
            yield step
