"""Recordings, and what else is met where they are looked for."""

import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One file: `name` is its path as `--data` gives it, `size` its bytes."""

    speaker: str
    utterance: str
    name: str
    path: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file, or a link to a folder, that gives no embedding, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FoundRecordings:
    """The recordings in the order of their speakers and utterances, and what else was met."""

    recordings: list[Recording]
    skipped: list[Skipped]


class Met:
    """What was met so far: recordings, and what gives no embedding."""

    def __init__(self) -> None:
        self._recordings: list[Recording] = []
        self._skipped: list[Skipped] = []

    def add(self, *, speaker: str, utterance: str, name: str, path: Path) -> None:
        """Take a file in, as a recording if it can be opened as one."""
        try:
            name.encode()
            status = path.stat()
        except UnicodeEncodeError:
            self.skip(name, "has a name that is not UTF-8")
        except OSError as error:
            self.skip(name, f"cannot be opened: {error.strerror}")
        else:
            # To open a pipe is to wait for who writes to it, and a device has no end.
            if not stat.S_ISREG(status.st_mode):
                self.skip(name, "is no file, but a folder, pipe or device")
                return
            size = status.st_size
            self._recordings.append(
                Recording(speaker=speaker, utterance=utterance, name=name, path=path, size=size)
            )

    def skip(self, name: object, reason: str) -> None:
        """Say why a file, or a link to a folder, gives no embedding."""
        self._skipped.append(Skipped(name=readable(name), reason=reason))

    def found(self) -> FoundRecordings:
        """Return all in order."""
        return FoundRecordings(
            recordings=sorted(self._recordings, key=lambda r: (r.speaker, r.utterance, r.name)),
            skipped=sorted(self._skipped, key=lambda s: s.name),
        )


def readable(name: object) -> str:
    """Return a path with a sign for each byte that is not UTF-8."""
    return str(name).encode(errors="surrogateescape").decode(errors="replace")
