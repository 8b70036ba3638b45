"""Options that several commands take, each with one text and one check."""

import argparse
from pathlib import Path

from evaluation.command.errors import InputError
from evaluation.command.format_names import ALL_NAMES


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


def add_draws(
    parser: argparse.ArgumentParser, *, seed_of: str = "the draws"
) -> tuple[argparse.Action, argparse.Action]:
    """Return the options of the draws of speakers and of their seed; the command takes them."""
    return (
        parser.add_argument(
            "--draws", type=int, default=1000, help="draws of speakers for the intervals"
        ),
        parser.add_argument("--seed", type=int, default=0, help=f"seed of {seed_of}, 0 or more"),
    )


def add_out(parser: argparse.ArgumentParser, folder: str) -> argparse.Action:
    """Return the option that names the folder of what is written; the command takes it."""
    return parser.add_argument(
        "--out", type=Path, default=Path(folder), metavar="DIR", help="where files go"
    )


def check_files(given: argparse.Namespace) -> None:
    """Raise InputError if no file of embeddings is given."""
    if not given.files:
        raise InputError("at least one FILE of embeddings must be given; got none")


def check_draws(given: argparse.Namespace, *, most_bits: int | None = None) -> None:
    """Raise InputError for no draws, and for a seed below 0 or of more than `most_bits` bits."""
    if given.draws < 1:
        raise InputError(f"--draws must be at least 1; got {given.draws}")
    beyond = most_bits is not None and given.seed >= 2**most_bits
    if given.seed < 0 or beyond:
        below = "" if most_bits is None else f" and below 2^{most_bits}"
        raise InputError(f"--seed must be at least 0{below}; got {given.seed}")
