"""The command line of the study: python -m evaluation separation ..."""

import argparse
import math

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.command.format_names import formats_named
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
from evaluation.files.study_file import add_study_option

EXTRA = ("matplotlib", "jinja2", "tqdm", "scipy", "sklearn")
INSTALL = 'pip install "minifloat[separation]"'
INTERRUPTED = "interrupted; what was finished is in the output folder"
# Names of none, of all and of the formats with the fewest bits.
NONE, ALL, SMALLEST = "none", "all", "smallest"
# UMAP takes no wider seed.
SEED_BITS = 32
METRICS, INITS = ("cosine", "euclidean"), ("pca", "spectral")


def add_parser(
    studies: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> dict[str, argparse.Action]:
    """Return the options by the names that a study file gives them; the command is added."""
    parser = studies.add_parser(
        "separation",
        help="which model separates speakers best, and whether fewer bits change that",
        description="Measure how far each model's embeddings keep speakers apart: OIIDD, CCR and "
        "silhouette of cosine distances, and of Euclidean distances on a 2-D map by UMAP, with 95 "
        "% intervals, in every format. Prints a table per model; writes metrics.csv, figures "
        "(SVG) and report.html.",
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    actions = [
        add(
            "files",
            nargs="*",
            type=ModelFile.parse,
            metavar="FILE",
            help="one a model, of the same recordings: .npz, .safetensors, .ark or .scp, or "
            "NAME=FILE, as for bitdepth",
        ),
        add_utt2spk(parser),
        add_formats(parser),
        add(
            "--umap-formats",
            default=SMALLEST,
            metavar="NAMES",
            help=f"formats with a map, besides float32: {NONE}, {ALL}, {SMALLEST} (of the fewest "
            "bits) or names",
        ),
        add("--umap-neighbors", type=int, default=15, metavar="ROWS", help="UMAP's n_neighbors"),
        add("--umap-min-dist", type=float, default=0.1, metavar="DISTANCE", help="UMAP's min_dist"),
        add(
            "--umap-metric",
            choices=METRICS,
            default=METRICS[0],
            help="distances between rows for UMAP",
        ),
        add("--umap-init", choices=INITS, default=INITS[0], help="where UMAP starts from"),
        add_cone(parser),
        *add_draws(parser, seed_of="the draws and of UMAP"),
        add_out(parser, "separation-report"),
    ]
    add_study_option(parser)
    parser.set_defaults(run=_separation, interrupted=INTERRUPTED)
    return {action.dest: action for action in actions}


def _separation(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="the separation study needs", install=INSTALL)
    # Imported late: they need the packages whose absence is told above.
    from evaluation.separation.options import SeparationOptions
    from evaluation.separation.run import run
    from evaluation.separation.speaker_map import MapOptions

    shared = study_options(given, command=command, most_bits=SEED_BITS)
    if not (math.isfinite(given.umap_min_dist) and 0 <= given.umap_min_dist <= 1):
        raise InputError(f"--umap-min-dist must be from 0 to 1; got {given.umap_min_dist}")
    run(
        SeparationOptions(
            **vars(shared),
            mapped=_mapped(given.umap_formats, shared.formats),
            map=MapOptions(
                neighbors=given.umap_neighbors,
                min_dist=given.umap_min_dist,
                metric=given.umap_metric,
                init=given.umap_init,
                seed=given.seed,
            ),
        )
    )


def _mapped(names: str, formats: list[mf.Format]) -> list[mf.Format]:
    if names == NONE:
        return []
    if names == ALL:
        return formats
    if names == SMALLEST:
        fewest = min(format.bits for format in formats)
        return [format for format in formats if format.bits == fewest]
    mapped = formats_named(names)
    absent = [format.name for format in mapped if format not in formats]
    if absent:
        raise InputError(
            f"--umap-formats must be among --formats, {', '.join(f.name for f in formats)}; "
            f"got '{absent[0]}'"
        )
    return mapped
