"""Clips that a list names: CSV, or JSON in lines, with paths relative to it."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.command.errors import InputError
from evaluation.files.reading import opened, reading, text_of
from evaluation.recordings.audio import UnreadableError
from evaluation.voxtube.clips import Columns, Label, Sound, Wanted, label_of
from minifloat.files.headers import once_each

CSV, LINES = ".csv", ".jsonl"


@dataclass(frozen=True, kw_only=True)
class ListedClips:
    """The clips of a list."""

    path: Path
    columns: Columns

    def labels(self) -> Iterator[Label]:
        """Yield the label of every clip, in order."""
        for label, _ in self._entries():
            yield label

    def sounds(self, wanted: Wanted) -> Iterator[tuple[Label, Sound]]:
        """Yield the clips that are wanted."""
        for label, name in self._entries():
            if wanted(label):
                yield label, partial(_content, self.path.parent / name)

    def _entries(self) -> Iterator[tuple[Label, str]]:
        rows = _csv_rows(self.path) if self.path.suffix == CSV else _json_rows(self.path)
        for line, row in rows:
            names = vars(self.columns).values()
            missing = [name for name in names if name not in row]
            if missing:
                raise InputError(
                    f"{self.path}, line {line}: must have {', '.join(names)}; "
                    f"{' and '.join(missing)} missing, found {', '.join(row)}: options name others"
                )
            speaker, language, audio = (row[name] for name in names)
            if not isinstance(audio, str) or not audio:
                raise InputError(
                    f"{self.path}, line {line}: {self.columns.audio} must be a path; got {audio!r}"
                )
            place = f"{self.path.name}, line {line}"
            where = f"{self.path}, line {line}"
            yield label_of(where, place, self.columns, speaker, language), audio


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with text_of(path) as file, reading(path, "CSV file", csv.Error):
        rows = csv.DictReader(file)
        for row in rows:
            yield rows.line_num, row


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with text_of(path) as file, reading(path, "list", ValueError, RecursionError):
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            row = json.loads(line, object_pairs_hook=once_each)
            if not isinstance(row, dict):
                raise InputError(f"{path}, line {number}: must be a JSON object; got {line[:40]!r}")
            yield number, row


def _content(path: Path) -> bytes:
    try:
        with opened(path) as file:
            return file.read()
    except InputError as error:
        raise UnreadableError(str(error)) from error
