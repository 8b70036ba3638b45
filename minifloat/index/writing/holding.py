"""The one writer of an index: a lock that ends with its process, and who holds it."""

from __future__ import annotations

import fcntl
import os
import socket
import weakref
from contextlib import suppress
from pathlib import Path

FILE = "writer.lock"


class InUseError(RuntimeError):
    """Another process, or another Index of this one, writes."""


class Holding:
    """The right to write to an index, until it is let go."""

    def __init__(self, folder: Path) -> None:
        """Take it; InUseError, which names the holder, where another has it."""
        path = folder / FILE
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "another"
            os.close(self._file)
            raise InUseError(
                f"{folder} has one writer at a time, which is {holder}: close it there, or read"
            ) from error
        # Who it is helps others, and is no reason to fail.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        # One that nobody has any more is no writer either.
        self._end = weakref.finalize(self, _let_go, self._file, os.getpid())

    def let_go(self) -> None:
        """Give it back."""
        self._end()


def _let_go(file: int, process: int) -> None:
    # A forked process has the file too, and would keep the lock.
    if process == os.getpid():
        with suppress(OSError):
            os.ftruncate(file, 0)
        fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)
