"""Work killed at each of its calls that change the disk."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests.index.faults.scenarios import Expected, Scenario, expected, refuse_lost, small_files
from tests.index.faults.telling import refuse_unsound
from tests.index.faults.tracing import Call, Traced, at, points


class Prepared:
    """A scenario, what is there before it, and what should be seen of it."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario, self.folder = scenario, folder
        self.path = folder / "tried" / "index"
        self._before = folder / "before"
        (folder / "expected").mkdir(parents=True)
        self._before.mkdir()
        with small_files():
            self.wanted: Expected = expected(scenario, folder / "expected")
            if scenario.begin is not None:
                scenario.begin(self._before / "index")

    def restored(self) -> Path:
        """Return the folder of the index, as it is before the work."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        shutil.copytree(self._before, self.path.parent)
        return self.path

    def started(self, *inject: str) -> Traced:
        """Return the work, begun from what is there before."""
        path = self.restored()

        def work(traced: Traced) -> None:
            self.scenario.run(path, traced.say)

        with small_files():
            return Traced(work, self.folder / "log", *inject)

    @cached_property
    def calls(self) -> list[Call]:
        """All calls of the work, to which nothing happens."""
        ended = self.started().ended()
        assert ended.status == 0, ended.said
        assert len(ended.said) == len(self.wanted.newest) - 1
        return ended.calls


class Kill(NamedTuple):
    """A kill: at the call of a name and number, and what was there afterwards."""

    name: str
    number: int
    found: str


def kill_at(prepared: Prepared, name: str, number: int) -> Kill:
    """Kill work at a call; AssertionError where anything is lost."""
    ended = prepared.started(*at(name, number, "signal=KILL")).ended()
    assert os.WIFSIGNALED(ended.status), f"{ended} was not killed"
    assert os.WTERMSIG(ended.status) == signal.SIGKILL
    with small_files():
        found = refuse_lost(prepared.path, len(ended.said), prepared.wanted)
        if found != "none":
            refuse_unsound(prepared.path)
        else:
            prepared.scenario.run(prepared.path, lambda: None)
    return Kill(name, number, found)


def kills(prepared: Prepared, every: int = 1, first: int = 0) -> Iterator[Kill]:
    """Kill work at its calls, or at every so many of them, one after the other."""
    for name, number in points(prepared.calls)[first::every]:
        try:
            yield kill_at(prepared, name, number)
        except Exception as error:
            error.add_note(f"{prepared.scenario.name}, killed at {name} {number}")
            raise
