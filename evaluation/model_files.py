"""Files of embeddings as a command line names them: FILE, or NAME=FILE."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import InputError
from evaluation.kaldi import is_kaldi


@dataclass(frozen=True)
class ModelFile:
    """A model's file and the name that outputs carry."""

    path: Path
    name: str

    @classmethod
    def parse(cls, text: str) -> ModelFile:
        """Return what FILE or NAME=FILE says; a name has no slash.

        A file whose path has a `=` in it is that file, without a name.
        """
        return cls.parse_in(Path(), text)

    @classmethod
    def parse_in(cls, folder: Path, text: str) -> ModelFile:
        """Return what FILE or NAME=FILE says, relative to a folder."""
        name, equals, rest = text.partition("=")
        path = folder / text
        if equals and name and "/" not in name and not os.path.exists(path):
            return cls(folder / rest, name)
        return cls(path, path.stem)

    def __str__(self) -> str:
        """Return what `parse` takes."""
        return str(self.path) if self.name == self.path.stem else f"{self.name}={self.path}"


def add_utt2spk_option(parser: argparse.ArgumentParser) -> argparse.Action:
    """Return the option; the command takes it."""
    return parser.add_argument(
        "--utt2spk",
        type=Path,
        metavar="FILE",
        help="speakers of the utterances of all .ark and .scp files, lines of 'utterance speaker'; "
        "without it the file utt2spk beside each",
    )


def refuse_shared_names(names: Sequence[str], *, what: str = "models") -> None:
    """Nothing; two of one name are an error."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"names of {what} must differ, outputs carry them; got {twice[0]} twice: "
            "NAME=FILE names a model otherwise than its file"
        )


def refuse_idle_speakers(utt2spk: Path | None, paths: Sequence[Path]) -> None:
    """Nothing; speakers of no file are an error."""
    if utt2spk is not None and not any(map(is_kaldi, paths)):
        raise InputError(
            f"--utt2spk tells the speakers of .ark and .scp files; got {utt2spk} and "
            f"{', '.join(map(str, paths))}, which has its own"
        )
