"""Files that take another's place whole, and what killed writers of them leave behind."""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

# Of one length whatever the target's name, which may be as long as a system allows.
_TEMPORARY = re.compile(r"\.minifloat-[0-9a-f]{32}\.tmp")

# Writing into a folder does not take the right to list it.
_FOLDER = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)


@contextmanager
def replacing(path: str | Path, *, sync: bool = False) -> Iterator[int]:
    """Yield the descriptor of a new file, which takes the path's place once it is written.

    With sync it is on the disk by then, and its name too: neither is lost with the power.

    If that fails the old file stays, and the new one goes. A link stays and is followed, and the
    new file has the old one's mode, and its owner where that is permitted. What killed writers
    left in the folder is removed first.
    """
    target = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"{path} cannot be written: it is a folder")
    old = None
    with suppress(FileNotFoundError):
        old = target.stat()
    if old and not stat.S_ISREG(old.st_mode):
        raise OSError(f"{path} cannot be written: it is a device, a pipe or a socket")
    folder = os.open(target.parent, _FOLDER)
    try:
        _swept(target.parent, folder)
        # Nobody reads the new one who could not read the old one.
        name, file = _create(folder, 0o600 if old else 0o666)
        try:
            yield file
            if old:
                _take_after(file, old)
            if sync:
                os.fsync(file)
            os.replace(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            if sync:
                sync_folder(target.parent)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            raise
        finally:
            os.close(file)
    finally:
        os.close(folder)


def sweep(path: Path) -> None:
    """Remove what killed writers left in a folder."""
    folder = os.open(path, _FOLDER)
    try:
        _swept(path, folder)
    finally:
        os.close(folder)


def sync_folder(path: Path) -> None:
    """Write a folder's names to the disk."""
    folder = os.open(path, os.O_DIRECTORY)
    try:
        os.fsync(folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(folder)


def _take_after(file: int, old: os.stat_result) -> None:
    """Give a file the owner and the mode of another, as far as that is permitted."""
    for owner in (old.st_uid, -1):
        with suppress(OSError):
            os.fchown(file, owner, old.st_gid)
            break
    with suppress(OSError):
        os.fchmod(file, old.st_mode & 0o777)


def _create(folder: int, mode: int) -> tuple[str, int]:
    """Return the name and the descriptor of a new file that is locked for as long as it is open."""
    while True:
        name = f".minifloat-{uuid4().hex}.tmp"
        file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode, dir_fd=folder)
        # Where there are no locks nobody gets one, and nothing is swept.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another's sweep may have come before the lock.
        if os.fstat(file).st_nlink:
            return name, file
        os.close(file)


def _swept(path: Path, folder: int) -> None:
    """Remove temporary files that can be locked: a lock ends with its writer, however it ends."""
    # A folder that cannot be listed, a file of another user, one that is being written.
    with suppress(OSError):
        for name in filter(_TEMPORARY.fullmatch, os.listdir(path)):
            with suppress(OSError):
                file = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(name, dir_fd=folder)
                finally:
                    os.close(file)
