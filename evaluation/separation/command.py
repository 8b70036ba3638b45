"""The command line of the study: python -m evaluation separation ..."""

import argparse
import math
from dataclasses import replace
from typing import Any

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
from evaluation.separation.speaker_map import MapOptions

EXTRA = ("matplotlib", "jinja2", "tqdm", "scipy", "sklearn")
INSTALL = 'pip install "minifloat[separation]"'
INTERRUPTED = "interrupted; what was finished is in the output folder"
# Names of none, of all and of the formats with the fewest bits.
NONE, ALL, SMALLEST = "none", "all", "smallest"
# UMAP takes no wider seed.
SEED_BITS = 32
METRICS, INITS = ("cosine", "euclidean"), ("pca", "spectral")
# Options of the map by what they set.
MAP = ("neighbors", "min_dist", "metric", "init")
DEFAULT = MapOptions()


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
            help="one a model, of the same recordings: .npz, .safetensors, .ark, .scp or .json, or "
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
        add(
            "--as-published",
            action="store_true",
            help="centroids, densities, ties and maps as in the published study, whose table of "
            "maps then stands in the report too; no other map and no cone",
        ),
        *_add_map(parser),
        add_cone(parser),
        *add_draws(
            parser,
            seed_of=f"the draws and of UMAP (42 with --as-published, else {DEFAULT.seed})",
            seed=None,
        ),
        add_out(parser, "separation-report"),
    ]
    add_study_option(parser)
    parser.set_defaults(run=_separation, interrupted=INTERRUPTED)
    return {action.dest: action for action in actions}


def _add_map(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options of the map; those that are not given have no value yet."""
    add = parser.add_argument
    return [
        add(
            "--umap-neighbors",
            type=int,
            metavar="ROWS",
            help=f"UMAP's n_neighbors (default: {DEFAULT.neighbors})",
        ),
        add(
            "--umap-min-dist",
            type=float,
            metavar="DISTANCE",
            help=f"UMAP's min_dist (default: {DEFAULT.min_dist})",
        ),
        add(
            "--umap-metric",
            choices=METRICS,
            help=f"distances between rows for UMAP (default: {DEFAULT.metric})",
        ),
        add(
            "--umap-init",
            choices=INITS,
            help=f"where UMAP starts from (default: {DEFAULT.init})",
        ),
    ]


def _separation(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="the separation study needs", install=INSTALL)
    # Imported late: they need the packages whose absence is told above.
    from evaluation.separation.definitions import AS_PUBLISHED, Definitions
    from evaluation.separation.options import SeparationOptions
    from evaluation.separation.run import run

    definitions = AS_PUBLISHED if given.as_published else Definitions()
    if given.as_published:
        _refuse_other_maps(given, definitions.map)
    if given.seed is None:
        given.seed = definitions.map.seed
    shared = study_options(given, command=command, most_bits=SEED_BITS)
    chosen = {name: _chosen(given, name) for name in MAP if _chosen(given, name) is not None}
    map_options = replace(definitions.map, **chosen, seed=given.seed)
    if not (math.isfinite(map_options.min_dist) and 0 <= map_options.min_dist <= 1):
        raise InputError(f"--umap-min-dist must be from 0 to 1; got {map_options.min_dist}")
    run(
        SeparationOptions(
            **vars(shared),
            mapped=_mapped(given.umap_formats, shared.formats),
            definitions=replace(definitions, map=map_options),
        )
    )


def _chosen(given: argparse.Namespace, name: str) -> Any:
    return getattr(given, f"umap_{name}")


def _refuse_other_maps(given: argparse.Namespace, published: MapOptions) -> None:
    """Raise InputError for an option that the published study does not have, or has otherwise."""
    if given.cone is not None:
        raise InputError(
            f"--as-published takes embeddings as they are; got --cone {given.cone}: leave one out"
        )
    asked = {"seed": given.seed, **{name: _chosen(given, name) for name in MAP}}
    for name, value in asked.items():
        allowed = getattr(published, name)
        if value not in (None, allowed):
            option = "--seed" if name == "seed" else f"--umap-{name.replace('_', '-')}"
            raise InputError(
                f"{option} must be {allowed} or left out with --as-published, as in the published "
                f"study; got {value}"
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
