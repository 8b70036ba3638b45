"""Bytes of an index's files that change, ends that go, and files that are exchanged."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import minifloat as mf
from minifloat.index import Index
from tests.index.faults.scenarios import small_files
from tests.index.faults.telling import Told, told_of
from tests.index.model import DIM, IDS, columns

SECONDS = 20
COLUMNS = {
    "tenant": "integer indexed",
    "weight": "real",
    "note": "text",
    "raw": "blob",
    "ok": "boolean",
}


def make(path: Path, kind: str, *, framed: bool) -> None:
    """Make an index of files, parts and removed rows, with all types of columns."""
    sample = torch.randn(500, DIM, generator=torch.Generator().manual_seed(7)) + 0.5
    frame = mf.Frame.fit(sample, feedback="force") if framed else None
    how: dict[str, Any] = {"rounding": "feedback"} if framed else {}
    with (
        small_files(),
        Index.create(path, DIM, "e2m1", frame=frame, columns=COLUMNS, errors=True, **how) as index,
    ):
        for begin, end in ((0, 10), (10, 13)):
            numbers = range(begin, end)
            values: dict[str, Any] = {
                name: [columns(n)[name] for n in numbers] for name in ("tenant", "weight", "note")
            }
            values |= {"raw": [bytes([n % 256, 0, 255]) for n in numbers]}
            index.add(
                [IDS[kind](n) for n in numbers],
                sample[begin:end],
                ok=True,
                **values,
            )
            index.commit()
        index.remove([IDS[kind](2), IDS[kind](11)])
        index.update([IDS[kind](4)], ok=False)


def files_of(path: Path) -> list[Path]:
    """Return the files that hold an index, in an order that is always the same."""
    return sorted(
        (file for file in path.iterdir() if file.name != "writer.lock" and file.stat().st_size),
        key=lambda file: (file.suffix, file.stat().st_size, file.read_bytes()),
    )


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise where something takes longer."""

    def late(*_: object) -> None:
        raise AssertionError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _refused(path: Path, *, verify: bool) -> bool:
    """Return whether an index cannot be opened; AssertionError where no file is named then."""
    try:
        with Index.open(path, verify=verify):
            return False
    except (ValueError, OSError) as error:
        said = error
    assert str(path) in str(said), f"{said!r} names no file"
    return True


def outcome(path: Path, wanted: dict[int, Told]) -> str:
    """Return what became of a damaged index: whether, and by what, its damage is found.

    AssertionError where it is not, and something is not as it was.
    """
    with within(SECONDS):
        if _refused(path, verify=False):
            return "not opened"
        with Index.open(path) as index:
            found = index.check()
        assert all(str(path) in one for one in found), f"{found} name no file"
        refused = _refused(path, verify=True)
        assert refused == bool(found), f"opened with verify: {not refused}; by check: {found}"
        if found:
            return "found by check"
        assert told_of(path) == wanted, "it is another, and check() finds nothing"
        return "without a trace"


class Harmed:
    """Copies of an index, each with one damage."""

    def __init__(self, folder: Path, kind: str, *, framed: bool) -> None:
        self.kind = kind
        folder.mkdir(parents=True)
        self.whole, self.path = folder / "whole", folder / "harmed"
        make(self.whole, kind, framed=framed)
        self.wanted = told_of(self.whole)
        self.files = files_of(self.whole)
        shutil.copytree(self.whole, self.path)

    def outcome(self, file: Path, content: bytes | None) -> str:
        """Return what became of the index with another content of a file, or without the file."""
        for name in {one.name for one in self.path.iterdir()} - {"writer.lock"}:
            (self.path / name).unlink()
        for one in self.whole.iterdir():
            shutil.copyfile(one, self.path / one.name)
        if content is None:
            (self.path / file.name).unlink()
        else:
            (self.path / file.name).write_bytes(content)
        return outcome(self.path, self.wanted)

    def exchanges(self) -> Counter[tuple[str, str]]:
        """Return what became of files that are away, or that others have taken the place of."""
        found = Counter[tuple[str, str]]()
        files = [file for file in self.files if not file.name.endswith("-shm")]
        other = self.whole.with_name("other")
        make(other, "text" if self.kind != "text" else "uuid", framed=False)
        for file in files:
            contents: list[tuple[str, bytes | None]] = [("away", None)]
            contents += [
                (f"in another's place, a {one.suffix}", one.read_bytes())
                for folder in (self.whole, other)
                for one in files_of(folder)
                if one != file and one.read_bytes() != file.read_bytes()
            ]
            for what, content in contents:
                try:
                    became = self.outcome(file, content)
                except Exception as error:
                    error.add_note(f"{file.name} is {what}")
                    raise
                found[f"{file.suffix} {what}:", became] += 1
        assert not [key for key in found if key[1] == "without a trace"], found
        return found

    def flipped(self, file: Path, at: int, mask: int) -> str:
        """Return what becomes of one byte that is another."""
        content = bytearray(file.read_bytes())
        content[at] ^= mask
        try:
            return self.outcome(file, bytes(content))
        except Exception as error:
            error.add_note(f"byte {at} of {file.name}, {file.stat().st_size} bytes, with {mask:#x}")
            raise

    def flips(self, every: int, first: int) -> Counter[tuple[str, str]]:
        """Return what became of every so manyth byte of all files, by the files' kind."""
        found = Counter[tuple[str, str]]()
        for file in self.files:
            for at in range(first % every, file.stat().st_size, every):
                found[file.suffix, self.flipped(file, at, 1 << at % 8)] += 1
        return found

    def cuts(self, lengths: int) -> Counter[tuple[str, str]]:
        """Return what became of files that end at so many places."""
        found = Counter[tuple[str, str]]()
        for file in self.files:
            content = file.read_bytes()
            for part in range(lengths):
                end = len(content) * part // lengths
                try:
                    found[file.suffix, self.outcome(file, content[:end])] += 1
                except Exception as error:
                    error.add_note(f"{file.name} of {len(content)} bytes, cut at {end}")
                    raise
        return found
