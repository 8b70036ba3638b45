"""Rows as they are extracted, safe from the moment that they are appended.

Two files grow side by side: the rows as raw float32, then a line of JSON for each. A line is
written after its row has reached the disk, so the lines tell what is done; a row without a line,
or a line that was cut short, is what an interruption leaves, and is cut off.
"""

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import Entry, Extracted, read_extracted, write_extracted
from evaluation.files.reading import refuse_second
from minifloat.files.headers import once_each

T = TypeVar("T")

# Values that are in memory at one time when all are written: 16 MiB.
BLOCK = 1 << 22
MODEL, ROWS, LINES = "model.json", "rows.f32", "lines.jsonl"


class Journal:
    """The unfinished form of one output file; `entries` are those of the rows that are there.

    Where there is no output yet, it begins with the rows of `before`, which are of the same model.
    """

    def __init__(
        self, out: Path, *, model: Mapping[str, str], dim: int, before: Extracted | None = None
    ) -> None:
        self._out, self._model, self._dim = out, dict(model), dim
        self._folder = folder_of(out)
        if self._folder.is_symlink():
            raise InputError(f"{self._folder}: is a link; rows are not written through one")
        if not self._folder.exists():
            self._begin(before)
        with ExitStack() as files:
            lock = files.enter_context(self._opened(MODEL, os.O_RDONLY))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(f"{out}: another extraction is writing to it") from None
            refuse_other_model(out, found=self._read(lock.read(), dict), asked=self._model)
            self._rows = files.enter_context(self._opened(ROWS, os.O_RDWR))
            self._lines = files.enter_context(self._opened(LINES, os.O_RDWR))
            self.entries = self._recover()
            self._files = files.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def append(self, rows: NDArray[np.float32], entries: Sequence[Entry]) -> None:
        """Put rows on the disk, where they are after any interruption."""
        _write_through(self._rows.fileno(), rows.astype("<f4").tobytes())
        text = "".join(json.dumps(asdict(entry)) + "\n" for entry in entries)
        _write_through(self._lines.fileno(), text.encode())
        self.entries.extend(entries)

    def finish(self) -> None:
        """Write all rows to the output, by speaker and utterance, and remove the journal."""
        order = sorted(
            range(len(self.entries)),
            key=lambda i: (self.entries[i].speaker, self.entries[i].utterance),
        )
        entries = [self.entries[i] for i in order]
        write_extracted(self._out, self._blocks(order), entries, dim=self._dim, model=self._model)
        # Renamed first: a folder that is half removed would pass for a journal.
        done = _new_folder(self._out.parent)
        self._folder.rename(done / self._folder.name)
        shutil.rmtree(done)

    def _blocks(self, order: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield the rows in an order, some at a time."""
        step = max(1, BLOCK // self._dim)
        for start in range(0, len(order), step):
            # Mapped anew for each: pages that were looked at would stay in memory.
            rows = np.memmap(self._folder / ROWS, "<f4", "r").reshape(-1, self._dim)
            yield np.asarray(rows[order[start : start + step]])

    def _opened(self, name: str, how: int) -> IO[bytes]:
        """Return a file of the journal; a link could lead to another, which would be cut off."""
        try:
            descriptor = os.open(self._folder / name, how | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise InputError(
                f"{self._folder}: damaged, {name} cannot be opened ({error.strerror}); remove it"
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InputError(f"{self._folder}: damaged, {name} is no file; remove it")
        return os.fdopen(descriptor, "rb" if how == os.O_RDONLY else "r+b")

    def _read(self, text: bytes, kind: Callable[..., T]) -> T:
        """Return what a line, or the model's file, says."""
        try:
            return kind(**json.loads(text, object_pairs_hook=once_each))
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{self._folder}: damaged ({error}); remove it") from error

    def _begin(self, before: Extracted | None) -> None:
        """Makes the folder; what is in the output already is its beginning."""
        folder = _new_folder(self._out.parent)
        try:
            rows, text = b"", ""
            if self._out.exists():
                before = read_extracted(self._out)
                refuse_other_model(self._out, found=before.model, asked=self._model)
            if before is not None:
                rows = before.rows.astype("<f4").tobytes()
                text = "".join(json.dumps(asdict(entry)) + "\n" for entry in before.entries)
            (folder / MODEL).write_text(json.dumps(self._model))
            (folder / ROWS).write_bytes(rows)
            (folder / LINES).write_text(text)
            folder.rename(self._folder)
        except BaseException:
            shutil.rmtree(folder)
            raise

    def _recover(self) -> list[Entry]:
        content = self._lines.read()
        # What follows the last line's end was being written when the process died.
        whole = content[: content.rfind(b"\n") + 1]
        entries = [self._read(line, Entry) for line in whole.split(b"\n")[:-1]]
        seen: dict[Hashable, int] = {}
        for number, entry in enumerate(entries, start=1):
            key = entry.speaker, entry.utterance
            refuse_second(
                seen, key, self._folder / LINES, "/".join(key), unit="line", number=number
            )
        for file, size in ((self._lines, len(whole)), (self._rows, 4 * self._dim * len(entries))):
            if os.fstat(file.fileno()).st_size < size:
                raise InputError(f"{self._folder}: damaged, rows are missing; remove it")
            file.truncate(size)
            os.lseek(file.fileno(), 0, os.SEEK_END)
        return entries


def folder_of(out: Path) -> Path:
    """Return where the journal of an output file lies."""
    return out.with_suffix(".unfinished")


def refuse_other_model(out: Path, *, found: Mapping[str, str], asked: Mapping[str, str]) -> None:
    """Raise InputError for rows of another model, of other weights or of another library."""
    for fact in {**found, **asked}:
        if found.get(fact) != asked.get(fact):
            raise InputError(
                f"{out}: holds rows of {fact} {found.get(fact, 'none')}; "
                f"got {fact} {asked.get(fact, 'none')}: give another --out, or remove it"
            )


def _new_folder(parent: Path) -> Path:
    """Return a folder with the mode of new folders, and a name of one length for any output."""
    folder = parent / f".extraction-{uuid4().hex}"
    folder.mkdir()
    return folder


def _write_through(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)
