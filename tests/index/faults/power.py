"""Work whose power is cut at any time, of which the disk has lost what it may lose."""

from __future__ import annotations

import random
import shutil
from collections import Counter

from tests.index.faults.disk import Disk, leave
from tests.index.faults.killing import Prepared
from tests.index.faults.scenarios import refuse_lost, small_files
from tests.index.faults.telling import refuse_unsound
from tests.index.faults.tracing import Call


class Cuts:
    """What a scenario did, call by call, and what may be left of it."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.calls = prepared.calls
        self.points = [at + 1 for at, call in enumerate(self.calls) if call.changes]
        self._acknowledged = [at for at in self.points if _is_said(self.calls[at - 1])]
        self._before = prepared.folder / "before"

    def refuse_other_disk(self) -> None:
        """AssertionError where what is said to be on the disk at the end is not what is there."""
        path = self.prepared.path.parent
        self.prepared.restored()
        disk = Disk(path)
        disk.read()
        ended = self.prepared.started().ended()
        for call in ended.calls:
            disk.do(call)
        there = {
            str(file.relative_to(path)): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file() and not file.name.endswith("-shm")
        }
        assert {name: one for name, one in disk.files() if not name.endswith("-shm")} == there

    def cut(self, at: int, seed: int) -> str:
        """Cut the power after so many calls; AssertionError where anything is lost."""
        prepared, chance = self.prepared, random.Random(seed)
        path = prepared.path
        prepared.restored()
        disk = Disk(path.parent)
        disk.read()
        for call in self.calls[:at]:
            disk.do(call)
        shutil.rmtree(path.parent)
        leave(disk.root, path.parent, chance)
        acknowledged = sum(map(_is_said, self.calls[:at]))
        with small_files():
            found = refuse_lost(path, acknowledged, prepared.wanted)
            if found != "none":
                refuse_unsound(path)
        return found

    def cut_often(self, count: int, chance: random.Random) -> Counter[str]:
        """Cut the power so often, anywhere; return how often what was there."""
        found = Counter[str]()
        for _ in range(count):
            # What was just acknowledged is what may be lost most easily.
            points = chance.choice((self.points, self.points, self._acknowledged))
            at, seed = chance.choice(points), chance.getrandbits(32)
            try:
                found[self.cut(at, seed)] += 1
            except Exception as error:
                name = self.prepared.scenario.name
                error.add_note(
                    f"{name}, cut after {at} calls, the last {self.calls[at - 1]}: {seed}"
                )
                raise
        return found


def _is_said(call: Call) -> bool:
    return call.name == "write" and "pipe" in bytes.fromhex(
        call.arguments.partition("<")[2].partition(">")[0].replace("\\x", "")
    ).decode(errors="replace")
