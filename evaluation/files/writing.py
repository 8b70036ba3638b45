"""Files that are whole or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evaluation.command.errors import InputError
from minifloat.files.replacing import replacing


def write_whole(path: Path, text: str) -> None:
    """Write a file; an interruption leaves what was there before."""
    with written_whole(path) as file:
        file.write(text.encode())


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """An empty file that takes a path's place once the block has ended without error.

    It is on the disk then. A database is written so too, with the same mode and links.
    """
    make_folder(path.parent)
    with (
        _writing(path),
        replacing(path) as descriptor,
        open(descriptor, "wb", closefd=False) as file,
    ):
        yield file
        file.flush()
        os.fsync(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder where there is none; InputError if files cannot be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK | os.X_OK) else "its permissions forbid it"
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise InputError(f"{folder}: must be a folder that files can be written to ({why})")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """A block that writes to a path: what a system says against it is one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror})" if error.strerror else str(error)
        ) from error
