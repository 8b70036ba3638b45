"""A disk as the calls of a system leave it, and what of it a power cut may leave."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from tests.index.faults.tracing import Call

# What a disk writes whole or not at all.
SECTOR = 512

# A write at a place, or the size that a file gets.
Write: TypeAlias = tuple[int, bytes]
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OF = re.compile(r"<((?:\\x[0-9a-f]{2})*)>")


class File:
    """Bytes that are on the disk, and what was written since and may be lost."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.since: list[Write | int] = []

    def sync(self) -> None:
        """Have all be on the disk."""
        self.kept, self.since = bytearray(self.with_writes(self.since)), []

    def with_writes(self, writes: list[Write | int]) -> bytes:
        """Return what is on the disk, changed by some writes."""
        found = bytearray(self.kept)
        for one in writes:
            if isinstance(one, int):
                found = found[:one] + bytes(max(0, one - len(found)))
                continue
            begin, data = one
            found += bytes(max(0, begin - len(found)))
            found[begin : begin + len(data)] = data
        return bytes(found)


class Folder:
    """Names that are on the disk, and what became of names since and may be lost."""

    def __init__(self) -> None:
        self.kept: dict[str, File | Folder] = {}
        self.names: dict[str, File | Folder] = {}
        self.since: list[Change] = []

    def sync(self) -> None:
        """Have all names be on the disk."""
        self.kept, self.since = dict(self.names), []

    def change(self, sets: dict[str, File | Folder], takes: list[str]) -> None:
        """Change names."""
        self.since.append((sets, takes))
        self.names = changed(self.names, sets, takes)


# What a change of names sets, and what it takes away.
Change: TypeAlias = tuple[dict[str, File | Folder], list[str]]


def changed(
    names: dict[str, File | Folder], sets: dict[str, File | Folder], takes: list[str]
) -> dict[str, File | Folder]:
    """Return names after a change of them."""
    return {name: one for name, one in names.items() if name not in takes} | sets


class Disk:
    """A folder, and what calls of the system do to it."""

    def __init__(self, path: Path) -> None:
        self.path, self.root = path, Folder()

    def read(self) -> None:
        """Have all that is in the folder now be on the disk."""
        for one in sorted(self.path.rglob("*")):
            folder, name = self._place(str(one))
            assert folder is not None
            new: File | Folder = Folder() if one.is_dir() else File()
            if isinstance(new, File):
                new.kept = bytearray(one.read_bytes())
            folder.change({name: new}, [])
            folder.sync()

    def do(self, call: Call) -> None:
        """Do what a call did, if it did anything in the folder."""
        if call.gave.startswith(("-", "?")):
            return
        name = call.name.removesuffix("at") if call.name != "openat" else "open"
        texts = [_bytes_of(one).decode(errors="replace") for one in _TEXT.findall(call.arguments)]
        if name in ("open", "mkdir", "unlink", "rmdir", "rename", "link"):
            bases = [_bytes_of(one).decode() for one in _OF.findall(call.arguments)]
            texts = texts[: 2 if name in ("rename", "link") else 1]
            paths = [
                str(Path(bases[at] if at < len(bases) else "/") / text)
                for at, text in enumerate(texts)
            ]
            self._change_names(name, paths, call)
            return
        assert name in ("write", "pwrite64", "ftruncate", "fsync", "fdatasync"), call
        of = _OF.search(call.arguments)
        folder, last = self._place(_bytes_of(of[1]).decode() if of else "")
        node = folder.names.get(last) if folder is not None and last else folder
        if node is None:
            return
        if name in ("fsync", "fdatasync"):
            node.sync()
            return
        assert isinstance(node, File)
        numbers = re.findall(r", (\d+)", call.arguments)
        if name == "ftruncate":
            node.since.append(int(numbers[-1]))
        else:
            assert name == "pwrite64" or last == "writer.lock", call
            data = _TEXT.search(call.arguments)
            assert data is not None
            node.since.append((int(numbers[-1]), _bytes_of(data[1])[: int(call.gave)]))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield all files and what is in them, whether it is on the disk or may be lost."""
        folders = [("", self.root)]
        for prefix, folder in folders:
            for name, node in folder.names.items():
                if isinstance(node, Folder):
                    folders.append((f"{prefix}{name}/", node))
                else:
                    yield f"{prefix}{name}", node.with_writes(node.since)

    def _change_names(self, name: str, paths: list[str], call: Call) -> None:
        folder, last = self._place(paths[0])
        if folder is None or not last:
            return
        if name == "open":
            if last not in folder.names:
                assert "O_CREAT" in call.arguments, call
                folder.change({last: File()}, [])
            assert "O_TRUNC" not in call.arguments, call
        elif name == "mkdir":
            folder.change({last: Folder()}, [])
        elif name in ("unlink", "rmdir"):
            folder.change({}, [last])
        else:
            to, new = self._place(paths[1])
            assert name == "rename", call
            assert to is folder, call
            folder.change({new: folder.names[last]}, [last])

    def _place(self, path: str) -> tuple[Folder | None, str]:
        """Return the folder and the name of a path; None where it is not on this disk."""
        if Path(path) == self.path:
            return self.root, ""
        if not Path(path).is_relative_to(self.path):
            return None, ""
        *folders, name = Path(path).relative_to(self.path).parts
        at = self.root
        for one in folders:
            inner = at.names.get(one)
            if not isinstance(inner, Folder):
                return None, ""
            at = inner
        return at, name


def leave(folder: Folder, path: Path, chance: random.Random) -> None:
    """Write what a power cut leaves of a folder, by chance, into one that is new."""
    path.mkdir()
    names = dict(folder.kept)
    for sets, takes in _some(folder.since, chance):
        names = changed(names, sets, takes)
    for name, node in names.items():
        if isinstance(node, Folder):
            leave(node, path / name, chance)
        elif name.endswith("-shm"):
            # It is memory of processes: nobody writes it to the disk, and the system may.
            (path / name).write_bytes(chance.choice((b"", bytes(32768), chance.randbytes(32768))))
        else:
            (path / name).write_bytes(_left_of(node, chance))


def _some(changes: list[Change], chance: random.Random) -> list[Change]:
    """Return the changes of names that are kept: mostly the first, as journals do; or any."""
    if chance.random() < 0.75:
        return changes[: chance.choice((0, len(changes), chance.randint(0, len(changes))))]
    return [one for one in changes if chance.random() < 0.5]


def _left_of(file: File, chance: random.Random) -> bytes:
    """Return what is left of a file."""
    writes, end = file.since, chance.randint(0, len(file.since))
    keep: Callable[[int], bool] = chance.choice(
        (
            lambda at: False,
            lambda at: True,
            lambda at: at < end,
            lambda at: at == len(writes) - 1,
            lambda at: chance.random() < 0.5,
        )
    )
    kept = [one for at, one in enumerate(writes) if keep(at)]
    if chance.random() < 0.5:
        kept = [part for one in kept for part in _torn(one, chance)]
    found = file.with_writes(kept)
    if chance.random() < 0.2:
        # The size may be there before what was written.
        found += bytes(max(0, len(file.with_writes(writes)) - len(found)))
    return found


def _torn(write: Write | int, chance: random.Random) -> list[Write | int]:
    """Return some sectors of a write."""
    if isinstance(write, int):
        return [write]
    begin, data = write
    ends = sorted({begin, *range(-(-begin // SECTOR) * SECTOR, begin + len(data), SECTOR)})
    pieces = [
        (at, data[at - begin : end - begin])
        for at, end in zip(ends, [*ends[1:], begin + len(data)], strict=True)
    ]
    return [piece for piece in pieces if chance.random() < 0.5]


def _bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
