"""Files of embeddings as a command line names them: FILE, or NAME=FILE."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.command.errors import InputError


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


def refuse_shared_names(names: Sequence[str], *, what: str = "models") -> None:
    """Raise InputError for two of one name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"names of {what} must differ, outputs carry them; got {twice[0]} twice: "
            "NAME=FILE names a model otherwise than its file"
        )
