"""Options that several commands take."""

import argparse
from pathlib import Path


def add_utt2spk(parser: argparse.ArgumentParser) -> argparse.Action:
    """Return the option that names the speakers of Kaldi's files; the command takes it."""
    return parser.add_argument(
        "--utt2spk",
        type=Path,
        metavar="FILE",
        help="speakers of the utterances of all .ark and .scp files, lines of 'utterance speaker'; "
        "without it the file utt2spk beside each",
    )
