"""Changes and commits that a signal's handler ends at any time, of one index after the other."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from minifloat.index import Index
from tests.index.faults.scenarios import FORMAT, ID, put, small_files
from tests.index.faults.telling import told
from tests.index.model import COLUMNS, DIM

Call = Callable[[Index], object]


class StoppedError(Exception):
    """What the handler raises."""


def stop(*_: object) -> None:
    """Handle the signal."""
    raise StoppedError


@contextmanager
def handled() -> Iterator[None]:
    """Handle signals; those that Python loses in a finalizer are passed over."""
    handler = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


class Interrupted:
    """An index whose calls are interrupted, and another to which the same is done in peace."""

    def __init__(self, path: Path | None, seed: int) -> None:
        self.path, self.chance, self.found = path, random.Random(seed), Counter[str]()
        self.index = Index.create(path, DIM, FORMAT, columns=COLUMNS)
        self.twin = Index.create(None, DIM, FORMAT, columns=COLUMNS)
        self._next = 0
        for one in (self.index, self.twin):
            put(one, range(100, 112))
            one.commit()

    def change(self) -> None:
        """Do one change, interrupted; AssertionError where it is half there."""
        name, call = self._call()
        before = told(self.index)
        begin = perf_counter()
        call(self.twin)
        longest = 1.5 * (perf_counter() - begin)
        after = told(self.twin)
        stopped = self._interrupted(call, self.chance.uniform(1e-6, max(longest, 1e-4)))
        found = told(self.index)
        if not stopped:
            assert found == after, name
            self.found["ended before"] += 1
            return
        assert found in (before, after), f"{name} is half there"
        self.found[f"{name}, {'all' if found == after else 'nothing'} of it there"] += 1
        if found != after:
            call(self.index)
            assert told(self.index) == after, f"{name} is not there when it is done again"

    def proven(self) -> None:
        """AssertionError where the index is damaged, or another once it was opened anew."""
        assert self.index.check() == []
        self.index.commit()
        assert told(self.index) == told(self.twin)
        if self.path is not None:
            self.index.close()
            self.index = Index.open(self.path, verify=True, write=True)
            assert told(self.index) == told(self.twin)

    def _interrupted(self, call: Call, seconds: float) -> bool:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            call(self.index)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except StoppedError:
            return True
        return False

    def _call(self) -> tuple[str, Call]:
        self._next += 1
        number, chance = self._next, self.chance
        ids = list(self.twin)
        kind = chance.choice(("add", "upsert", "remove", "update", "commit", "commit", "compact"))
        some = chance.sample(ids, min(3, len(ids)))
        gone = some if len(ids) > 12 else [ID(-1)]
        calls: dict[str, Call] = {
            "add": lambda index: put(index, [1000 + 2 * number, 1001 + 2 * number]),
            "upsert": lambda index: put(index, [100 + number % 12, 5 + number % 7], upsert=True),
            "remove": lambda index: index.remove(gone, missing="ignore"),
            "update": lambda index: index.update(some, note=f"{number}"),
            "commit": lambda index: index.commit(),
            "compact": lambda index: index.compact(),
        }
        return kind, calls[kind]


def interrupt(count: int, folder: Path, seed: int = 0) -> Counter[str]:
    """Interrupt so many calls, in memory and in a folder; return how often what became of them."""
    found = Counter[str]()
    with small_files(), handled():
        for place in (None, folder / "index"):
            tried = Interrupted(place, seed)
            for number in range(count // 2):
                try:
                    tried.change()
                    if number % 25 == 24:
                        tried.proven()
                except BaseException as error:
                    error.add_note(f"call {number} of seed {seed}, {place or 'in memory'}")
                    raise
            tried.proven()
            tried.index.close()
            found += tried.found
    return found
