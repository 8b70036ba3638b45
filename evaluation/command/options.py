"""Options that several commands take, each with one text and one check."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.command.format_names import ALL_NAMES, formats_named
from evaluation.command.model_files import ModelFile


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What every study of files of embeddings is asked for; `command` is how."""

    files: list[ModelFile]
    utt2spk: Path | None
    formats: list[mf.Format]
    cone: float | None
    draws: int
    seed: int
    out: Path
    command: str


def add_utt2spk(parser: argparse.ArgumentParser) -> argparse.Action:
    """Return the option that names the speakers of Kaldi's files; the command takes it."""
    return parser.add_argument(
        "--utt2spk",
        type=Path,
        metavar="FILE",
        help="speakers of the utterances of all .ark and .scp files, lines of 'utterance speaker'; "
        "without it the file utt2spk beside each",
    )


def add_formats(parser: argparse.ArgumentParser) -> argparse.Action:
    """Return the option that names formats; the command takes it."""
    return parser.add_argument(
        "--formats",
        default=ALL_NAMES,
        metavar="NAMES",
        help="comma-separated, out of the default, or as torch and ml_dtypes call them",
    )


def add_cone(parser: argparse.ArgumentParser) -> argparse.Action:
    """Return the option that puts embeddings into a cone; the command takes it."""
    return parser.add_argument(
        "--cone",
        type=float,
        metavar="SHARE",
        help="add an offset to all embeddings, such a share of the squares of their lengths (0.98, "
        "say): what some models do by themselves, and how formats bear it",
    )


def add_draws(
    parser: argparse.ArgumentParser, *, seed_of: str = "the draws", seed: int | None = 0
) -> tuple[argparse.Action, argparse.Action]:
    """Return the options of the draws of speakers and of their seed; the command takes them.

    A command whose default `seed` is none has one by the time that it asks for the options.
    """
    return (
        parser.add_argument(
            "--draws", type=int, default=1000, help="draws of speakers for the intervals"
        ),
        parser.add_argument("--seed", type=int, default=seed, help=f"seed of {seed_of}, 0 or more"),
    )


def add_out(parser: argparse.ArgumentParser, folder: str) -> argparse.Action:
    """Return the option that names the folder of what is written; the command takes it."""
    return parser.add_argument(
        "--out", type=Path, default=Path(folder), metavar="DIR", help="where files go"
    )


def study_options(
    given: argparse.Namespace, *, command: str, most_bits: int | None = None
) -> StudyOptions:
    """Return what is asked for; an InputError says what cannot be.

    There must be a file and a draw, and the seed is at least 0 and has at most `most_bits` bits.
    """
    if not given.files:
        raise InputError("at least one FILE of embeddings must be given; got none")
    if given.draws < 1:
        raise InputError(f"--draws must be at least 1; got {given.draws}")
    if given.cone is not None and not 0 < given.cone < 1:
        raise InputError(f"--cone must be above 0 and below 1; got {given.cone}")
    beyond = most_bits is not None and given.seed >= 2**most_bits
    if given.seed < 0 or beyond:
        below = "" if most_bits is None else f" and below 2^{most_bits}"
        raise InputError(f"--seed must be at least 0{below}; got {given.seed}")
    return StudyOptions(
        files=given.files,
        utt2spk=given.utt2spk,
        formats=formats_named(given.formats),
        cone=given.cone,
        draws=given.draws,
        seed=given.seed,
        out=given.out,
        command=command,
    )
