"""Work whose calls of the system are told, and in which one ends it or fails, by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

# What changes a disk, or waits for it; those that not every processor has are marked.
CALLS = (
    "write,pwrite64,writev,pwritev,openat,?open,?creat,?rename,renameat,renameat2,?link,linkat,"
    "?unlink,unlinkat,?rmdir,?mkdir,mkdirat,ftruncate,truncate,fallocate,fsync,fdatasync"
)
_LINE = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+|\?)(?:<.*>)?(?: .*)?")

# A child that does not end has been seen to hang.
_SECONDS = 60


class Call(NamedTuple):
    """A call of the system: its name, its arguments as strace writes them, and what it gave."""

    name: str
    arguments: str
    gave: str

    @property
    def changes(self) -> bool:
        """Whether it can change the disk."""
        return self.name not in ("openat", "open") or "O_CREAT" in self.arguments


class Ended(NamedTuple):
    """How work ended: what it said, by which status, and its calls."""

    said: list[str]
    status: int
    calls: list[Call]


class Traced:
    """Work in a forked process, which strace looks at until it is let go."""

    def __init__(self, work: Callable[[Traced], None], log: Path, *inject: str) -> None:
        self._log = log
        self._said_at, self._said = os.pipe()
        self._waits, self._goes = os.pipe()
        self.process = os.fork()
        if not self.process:
            self._work(work)
        # That hearing ends with the work.
        os.close(self._said)
        command = ["strace", "-f", "-y", "-xx", "-s", "10000000", "-o", str(log)]
        command += ["-e", f"trace={CALLS}", *inject, "-p", str(self.process)]
        # Sanitizers that are loaded before all are not strace's.
        given = {"PATH": os.environ["PATH"]}
        self._strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=given)
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        if "attached" not in said:
            self.kill()
            raise PermissionError(said + self._strace.stderr.read())
        self.go()

    def say(self, what: str = "committed") -> None:
        """Tell the process that waits."""
        os.write(self._said, f"{what}\n".encode())

    def wait(self) -> None:
        """Wait until the other process lets go on."""
        os.read(self._waits, 1)

    def hear(self) -> str:
        """Return what was said since; empty where nothing will be said any more."""
        return os.read(self._said_at, 1 << 16).decode()

    def go(self) -> None:
        """Let the work go on."""
        os.write(self._goes, b".")

    def let_go(self) -> None:
        """Have strace do nothing more."""
        self._strace.terminate()
        self._strace.wait()

    def kill(self) -> None:
        """End the work."""
        os.kill(self.process, 9)
        self.ended()

    def ended(self) -> Ended:
        """Return how it ended, once it has."""
        with os.fdopen(self._said_at) as said:
            lines = said.read().splitlines()
        status = os.waitpid(self.process, 0)[1]
        with self._strace:
            self._strace.wait(_SECONDS)
        for end in (self._waits, self._goes):
            os.close(end)
        return Ended(lines, status, _calls(self._log) if self._log.exists() else [])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.kill()

    def _work(self, work: Callable[[Traced], None]) -> None:
        status = 3
        try:
            os.close(self._said_at)
            self.wait()
            work(self)
            status = 0
        except BaseException as error:
            with suppress(OSError):
                self.say(f"{type(error).__name__}: {error}")
        finally:
            # Nothing of the other process may go on here.
            os._exit(status)


def why_not(folder: Path) -> str | None:
    """Return why work cannot be traced here; None where it can."""
    if shutil.which("strace") is None:
        return "there is no strace here"
    try:
        ended = Traced(lambda traced: traced.say(), folder / "log").ended()
    except PermissionError as error:
        return f"strace may not look at processes here: {error}"
    assert ended.said == ["committed"]
    return None


def points(calls: list[Call]) -> list[tuple[str, int]]:
    """Return each call that changes the disk: its name, and which of that name it is."""
    found, counts = [], dict[str, int]()
    for call in calls:
        counts[call.name] = counts.get(call.name, 0) + 1
        if call.changes:
            found.append((call.name, counts[call.name]))
    return found


def at(name: str, number: int | str, what: str) -> tuple[str, str]:
    """Return what has strace do something at the call of a name and number."""
    return "-e", f"inject={name}:{what}:when={number}"


def _calls(log: Path) -> list[Call]:
    text = log.read_text()
    assert "unfinished" not in text, "the work has threads of its own"
    lines = map(_LINE.fullmatch, text.splitlines())
    return [Call(*line.groups()) for line in lines if line is not None]
