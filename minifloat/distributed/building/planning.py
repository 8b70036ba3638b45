"""What is to be built, by which it is known again: sources, how rows are made, and their files."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

from minifloat.distributed.building.naming import Fact
from minifloat.distributed.building.sources import File, Source
from minifloat.files.replacing import replacing
from minifloat.index.catalog.catalog import FILE
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.writing.adopting import cut

PLAN = "plan.json"

# Of longer facts their digest tells.
_LONGEST = 40


# Of a file the first row, the one after the last, and its name.
Piece: TypeAlias = tuple[int, int, str]


class Plan:
    """Rows of sources, one after the other, and the files that they go into."""

    def __init__(self, kind: dict[str, Any], sources: Sequence[Source], ids: list[Fact]) -> None:
        self.kind, self.sources, self.ids = kind, sources, ids
        self._ends = list(accumulate(source.rows for source in sources))
        self.rows = self._ends[-1]
        digest = hashlib.sha256(self.text().encode())
        self.pieces: list[Piece] = [
            (first, end, _name(digest, first)) for first, end in cut(self.rows)
        ]

    def text(self) -> str:
        """Return what says all of it."""
        return json.dumps({"kind": self.kind, "sources": self.sources, "ids": self.ids})

    @staticmethod
    def read(text: str) -> Plan:
        """Return that of a text."""
        given = json.loads(text)
        sources = [Source(File(*file), *rest) for file, *rest in given["sources"]]
        return Plan(given["kind"], sources, given["ids"])

    def spans(self, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield where rows are: the number of a source, and from which of its rows to which."""
        at = bisect_right(self._ends, first)
        while first < end:
            begin = self._ends[at] - self.sources[at].rows
            stop = min(end, self._ends[at])
            if first < stop:
                yield at, first - begin, stop - begin
            first, at = stop, at + 1

    def place(self, row: int) -> str:
        """Return where a row is, in words."""
        ((source, at, _),) = self.spans(row, row + 1)
        return f"row {at} of {self.sources[source].name}"

    def difference(self, other: Plan) -> str | None:
        """Return in what another one that was before differs, in words."""
        for name in sorted({*other.kind, *self.kind}):
            was, now = (plan.kind.get(name, "none") for plan in (other, self))
            if was != now:
                return f"{name} was {was} and is {now}"
        for what, was, now in (
            ("sources", other.sources, self.sources),
            ("ids", other.ids, self.ids),
        ):
            if len(was) != len(now):
                return f"there were {what} of {len(was)} files and are of {len(now)}"
        for number, (before, source) in enumerate(zip(other.sources, self.sources, strict=True)):
            if before != source:
                return f"source {number} was {_told(before)} and is {_told(source)}"
        for number, (old, new) in enumerate(zip(other.ids, self.ids, strict=True)):
            if old != new:
                return f"ids of source {number} were {_told_ids(old)} and are {_told_ids(new)}"
        return None


def facts_of(kind: Kind) -> dict[str, Any]:
    """Return how rows are made, as a plan has it."""
    return {
        name: fact if len(str(fact)) <= _LONGEST else _digest_of(fact)
        for name, fact in kind.facts().items()
    }


def begin(folder: Path, plan: Plan) -> list[str]:
    """Have a folder be that of a plan; return the names of files that are there already.

    ValueError where it has files of another plan, and tells in what that differs.
    """
    before = _plan_of(folder)
    difference = None if before is None else plan.difference(before)
    names = [name for _, _, name in plan.pieces]
    if before is not None and difference is not None:
        if any((folder / name).exists() for _, _, name in before.pieces):
            raise ValueError(
                f"{folder} has files of another build, which ended early: {difference}; build that "
                "to its end, or remove this folder to start anew"
            )
        before = None
    if before is None:
        for end in ("", "-wal", "-shm"):
            (folder / f"{FILE}{end}").unlink(missing_ok=True)
        with replacing(folder / PLAN, sync=True) as file, open(file, "w", closefd=False) as out:
            out.write(plan.text())
    blocks.sweep(folder, names)
    return [name for name in names if (folder / name).exists()]


def _plan_of(folder: Path) -> Plan | None:
    try:
        return Plan.read((folder / PLAN).read_text())
    except FileNotFoundError:
        return None


def _told(source: Source) -> str:
    return f"{source.rows} rows of {source.name} ({source.file.told()})"


def _told_ids(fact: Fact) -> str:
    if len(fact) == 1:
        return f"values of digest {fact[0]}"
    file = File(*fact)
    return f"{file.path} ({file.told()})"


def _name(digest: Any, first: int) -> str:
    of_file = digest.copy()
    of_file.update(str(first).encode())
    return blocks.name_of(of_file.hexdigest()[:32])


def _digest_of(fact: Any) -> str:
    data = fact if isinstance(fact, bytes) else str(fact).encode()
    return hashlib.sha256(data).hexdigest()[:_LONGEST]
