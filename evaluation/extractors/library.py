"""The libraries that models come in, and the weights that they load."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from evaluation.command.errors import InputError


@contextmanager
def loading(model: str, weights: str) -> Iterator[None]:
    """A block in which a library loads weights: whatever it raises is told as one error."""
    try:
        yield
    # Libraries raise what they like for absent files, other formats and hubs out of reach.
    except Exception as error:
        hint = (
            "" if os.path.exists(weights) else "; there is no such path, and no such name in reach"
        )
        raise InputError(f"{model}: '{weights}' does not load ({error}){hint}") from error


def release(package: str) -> str:
    """Return the package with its version, as an identity holds it."""
    return f"{package} {version(package)}"


def existing(model: str, weights: str | None) -> Path:
    """Return the path of the weights of a model that must be given a local file."""
    if weights is None:
        raise InputError(f"{model} needs --weights FILE; got none")
    path = Path(weights)
    if not os.path.isfile(path):
        raise InputError(f"{model}: --weights must be a file; got '{weights}'")
    return path


def digest(weights: str | Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files and their names; else the name itself.

    A name on a hub is no path: it stands for itself.
    """
    path = Path(weights)
    if not path.exists():
        return str(weights)
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            found.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as content:
                found.update(hashlib.file_digest(content, "sha256").digest())
    return found.hexdigest()
