"""Files that are read: opened if they are files, and refused in one sentence."""

import hashlib
import io
import stat
import zlib
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from evaluation.command.errors import InputError
from evaluation.files.limits import open_gz

GZ = ".gz"


def opened(path: Path) -> io.BufferedReader:
    """Return a file as it is; InputError if it is none, or cannot be opened."""
    try:
        # To open a pipe is to wait for who writes to it, and a device has no end.
        is_file = stat.S_ISREG(path.stat().st_mode)
        if is_file:
            return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be opened ({why})") from error
    raise InputError(f"{path}: must be a file; it is a folder, pipe or device")


def unpacked(path: Path) -> io.BufferedReader:
    """Return a file, and of a .gz file what is in it."""
    file = opened(path)
    if path.suffix != GZ:
        return file
    file.close()
    return open_gz(path)


def text_of(path: Path) -> TextIO:
    """Return a text, out of a .gz file too, without the byte order mark that some editors write.

    Lines keep their ends, as csv asks for.
    """
    return io.TextIOWrapper(unpacked(path), encoding="utf-8-sig", newline="")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as it is."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def reading(path: Path, what: str, *errors: type[Exception]) -> Iterator[None]:
    """A block in which a file is read: what a damaged one raises, `errors` too, is one sentence."""
    unreadable: tuple[type[Exception], ...] = (
        OSError,
        EOFError,
        zlib.error,
        UnicodeDecodeError,
        *errors,
    )
    try:
        yield
    except InputError:
        raise
    except unreadable as error:
        raise InputError(f"{path}: not a readable {what} ({error})") from error


def refuse_second(
    seen: dict[Hashable, int], key: Hashable, path: Path, name: str, *, unit: str, number: int
) -> None:
    """Raise InputError for a key that a file has in two places, `number` of its `unit`s."""
    first = seen.setdefault(key, number)
    if first != number:
        raise InputError(
            f"{path}: {name} must come once; it is in {unit} {first} and in {unit} {number}"
        )
