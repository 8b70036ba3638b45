"""Disks that are full, that cannot be written or that fail, until they are mended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from minifloat.index import Index
from tests.index.faults.killing import Prepared
from tests.index.faults.scenarios import refuse_lost, small_files
from tests.index.faults.telling import refuse_unsound, told
from tests.index.faults.tracing import Traced, at, points

# Which error each call gives on which disk, and whether all after it give it too.
DISKS = {
    "full": ("ENOSPC", ("pwrite64", "ftruncate", "openat", "mkdir"), "+"),
    "full for a moment": ("ENOSPC", ("pwrite64", "ftruncate", "openat"), ""),
    "read-only": ("EROFS", ("openat", "unlink", "rename", "renameat", "mkdir"), ""),
    "another's": ("EACCES", ("openat", "unlink", "rename", "renameat", "mkdir"), ""),
    "failing": ("EIO", ("pwrite64", "fsync", "fdatasync", "ftruncate"), "+"),
    "failing for a moment": ("EIO", ("pwrite64", "fsync", "fdatasync", "ftruncate"), ""),
}


class Failure(NamedTuple):
    """A call that failed, what was said of it, and what was there when it had."""

    name: str
    number: int
    said: str
    found: str

    def refuse_unsaid(self) -> None:
        """AssertionError where an error does not say what to do."""
        # The system's own errors say what is wrong with which file.
        known = ("do it again", "or read", "upgrade", "No space left on device: '")
        more = ("Read-only file system: '", "Permission denied: '", "Input/output error: '")
        assert not self.said or any(one in self.said for one in (*known, *more)), self.said


def fail_at(prepared: Prepared, name: str, number: int, error: str, more: str) -> Failure:
    """Have a call fail, and mend that once an error was told; AssertionError for what is lost."""
    traced = _started(prepared, at(name, f"{number}{more}", f"error={error}"))
    said = ""
    try:
        heard = ""
        while not heard.endswith("answers\n") and (more_heard := traced.hear()):
            heard += more_heard
        acknowledged = heard.splitlines().count("committed")
        traced.let_go()
        with small_files():
            if heard.endswith("answers\n"):
                said = heard.partition("failed ")[2].splitlines()[0]
            found = refuse_lost(prepared.path, acknowledged, prepared.wanted) if said else "after"
        traced.go()
    except BaseException:
        traced.kill()
        raise
    ended = traced.ended()
    assert ended.status == 0, f"{heard}, then {ended.said}"
    with small_files():
        refuse_lost(prepared.path, len(prepared.wanted.newest) - 1, prepared.wanted)
        refuse_unsound(prepared.path)
    return Failure(name, number, said.replace(str(prepared.path), "INDEX"), found)


def failures(prepared: Prepared, disk: str, every: int = 1, first: int = 0) -> Iterator[Failure]:
    """Have each call fail that can on such a disk, or every so manyth of them."""
    error, calls, more = DISKS[disk]
    can = [point for point in points(prepared.calls) if point[0] in calls]
    for name, number in can[first::every]:
        try:
            yield fail_at(prepared, name, number, error, more)
        except Exception as raised:
            raised.add_note(f"{prepared.scenario.name}, {disk}, at {name} {number}")
            raise


def _started(prepared: Prepared, inject: tuple[str, str]) -> Traced:
    """Return work that goes on, with the same index, where an error of the disk is mended."""
    path, scenario, newest = prepared.restored(), prepared.scenario, prepared.wanted.newest

    def work(traced: Traced) -> None:
        index, done, failed, mended = None, 0, False, False
        while True:
            try:
                index = index or scenario.opened(path)
                while done < len(scenario.changes):
                    if not failed or told(index) == newest[done]:
                        scenario.changes[done](index)
                    index.commit()
                    done, failed = done + 1, False
                    traced.say()
                index.close()
                return
            except OSError as error:
                if mended:
                    raise
                said, failed = f"{type(error).__name__}: {error}", True
            if index is not None and index._state.is_open:
                _refuse_silent(index)
            traced.say(f"failed {said}\nanswers")
            traced.wait()
            mended = True

    with small_files():
        return Traced(work, prepared.folder / "log", *inject)


def _refuse_silent(index: Index) -> None:
    """AssertionError where an index does not answer any more."""
    assert len(told(index).ids) == len(index), os.getpid()
