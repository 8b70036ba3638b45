"""What is done to an index while something befalls it: what is there before, and the changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from minifloat.index import Index
from minifloat.index.rows import blocks
from minifloat.index.writing import committing
from tests.index.faults.telling import Told, told_of
from tests.index.model import COLUMNS, DIM, IDS, columns, row

FORMAT, ID = "e2m1", IDS["text"]

# Called after each change that has been acknowledged.
Say = Callable[[], None]


class Scenario(NamedTuple):
    """begin: makes what is there before, if anything is. changes: what is tried, each committed."""

    name: str
    begin: Callable[[Path], None] | None
    changes: tuple[Callable[[Index], object], ...]

    def opened(self, path: Path) -> Index:
        """Return the index that is changed."""
        # One whose making failed at last, such as when it was opened, is there.
        if self.begin is not None or (path / "index.sqlite").exists():
            return Index.open(path)
        return Index.create(path, DIM, FORMAT, columns=COLUMNS)

    def run(self, path: Path, say: Say) -> None:
        """Do all changes, and say so of each that is acknowledged."""
        with self.opened(path) as index:
            for change in self.changes:
                change(index)
                index.commit()
                say()


class Expected(NamedTuple):
    """What is seen before, and after each change; and by version, of all that were kept."""

    newest: list[Told | None]
    versions: dict[int, Told]


@contextmanager
def small_files() -> Iterator[None]:
    """Have files of blocks hold few rows, and be moved together soon."""
    with pytest.MonkeyPatch.context() as patch:
        for name, rows in (("UNIT", 2), ("SEALED", 4), ("MOST", 6)):
            patch.setattr(blocks, name, rows)
        patch.setattr(committing, "FILES", 3)
        yield


def put(index: Index, numbers: Iterable[int], *, upsert: bool = False) -> None:
    """Add rows of some numbers, which make their ids, vectors and columns."""
    ids = [ID(number) for number in numbers]
    each = [columns(number + 100 * upsert) for number in numbers]
    of_all: dict[str, Any] = {name: [one[name] for one in each] for name in COLUMNS}
    x = torch.cat([row(number + 100 * upsert) for number in numbers])
    (index.upsert if upsert else index.add)(ids, x, **of_all)


def begin(path: Path) -> None:
    """Make an index of files, parts, and rows that were removed since."""
    with Index.create(path, DIM, FORMAT, columns=COLUMNS) as index:
        put(index, range(9))
        index.commit()
        put(index, [9])
        index.commit()
        index.remove([ID(3), ID(9)])


def _left(path: Path) -> None:
    """Make what a writer leaves that was killed with a log, in the midst of things."""
    begin(path)
    copy = path.with_name("copy")
    with Index.open(path) as index:
        put(index, [11, 12])
        index.commit()
        put(index, [13, 14])
        index._state.writer.flush()  # type: ignore[union-attr]
        shutil.copytree(path, copy)
    shutil.rmtree(path)
    copy.rename(path)
    (path / f"block-{'0' * 32}.safetensors").write_bytes(b"half of a file")


def _both(index: Index) -> None:
    put(index, [21, 22])
    put(index, [4, 1], upsert=True)
    index.remove([ID(0)])


def _most_removed(index: Index) -> None:
    index.remove([ID(number) for number in (0, 1, 2, 4, 5)])


SCENARIOS = (
    Scenario("create", None, (len,)),
    Scenario("add", begin, (lambda index: put(index, [10]),)),
    Scenario("add and seal", begin, (lambda index: put(index, range(10, 19)),)),
    Scenario("remove", begin, (lambda index: index.remove([ID(5), ID(1)]),)),
    Scenario("upsert", begin, (lambda index: put(index, [5, 30], upsert=True),)),
    Scenario("update", begin, (lambda index: index.update([ID(2)], note="new"),)),
    Scenario("clear", begin, (lambda index: index.clear(),)),
    Scenario("many commits", begin, tuple(partial(put, numbers=[n]) for n in range(40, 45))),
    Scenario("all at once", begin, (_both,)),
    Scenario("scattered", begin, (_most_removed,)),
    Scenario("compact", begin, (lambda index: index.compact(),)),
    Scenario("compact and erase", begin, (lambda index: index.compact(erase=True),)),
    Scenario("purge", begin, (lambda index: index.purge([ID(2), ID(9), ID(8)]),)),
    Scenario("after a kill", _left, (lambda index: put(index, [60]),)),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def expected(scenario: Scenario, folder: Path) -> Expected:
    """Return what is seen where nothing befalls, of an index in a new folder."""
    path = folder / "index"
    seen: list[Told | None] = [None]
    versions: dict[int, Told] = {}

    def see() -> None:
        all = told_of(path)
        seen.append(list(all.values())[-1])
        versions.update(all)

    if scenario.begin is not None:
        scenario.begin(path)
        see()
        del seen[0]
    scenario.run(path, see)
    return Expected(seen, versions)


def refuse_lost(path: Path, acknowledged: int, wanted: Expected) -> str:
    """AssertionError where an index is as it never was; else which it is, before or after."""
    allowed = wanted.newest[acknowledged : acknowledged + 2]
    if None in allowed and not (path.exists() and any(path.iterdir())):
        return "none"
    all = told_of(path)
    newest, found = list(all.items())[-1]
    assert found in allowed, f"version {newest} is neither that before nor that after"
    for version, one in all.items():
        # One between two that were acknowledged is not known.
        assert one == wanted.versions.get(version, found), f"version {version} is another"
    return "before" if found == allowed[0] else "after"
