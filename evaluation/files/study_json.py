"""The JSON of the published separation study: {"data": [{"spk", "audio", "embedding"}, ...]}.

It is read event by event, so that no more than an item is in memory.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.command.packages import require
from evaluation.files.reading import opened, reading

JSON = ".json"
INSTALL = 'pip install "minifloat[json]"'
DATA, SPEAKER, AUDIO, EMBEDDING = "data", "spk", "audio", "embedding"
# Bytes that are parsed at a time: where one is wrong, what came before it is known.
_BYTES = 512
# What is skipped may be nested so deep.
_DEEPEST = 64
_ENDS = ("end_map", "end_array")

Event = tuple[str, Any]


@dataclass(frozen=True, kw_only=True)
class StudyItem:
    """A recording, who speaks in it, and its embedding (dim,), where it has one.

    `place` is what errors call it.
    """

    place: str
    speaker: str
    audio: str
    embedding: NDArray[np.float32] | None


def study_items(path: Path) -> Iterator[StudyItem]:
    """Yield the items in turn; InputError names the item and the field that cannot be used."""
    ijson = require("ijson", needs=f"{path}: a {JSON} file needs", install=INSTALL)
    with opened(path) as file, reading(path, "JSON file"):
        if file.peek(3)[:3] == codecs.BOM_UTF8:
            file.read(3)
        events = ijson.basic_parse(file, use_float=True, buf_size=_BYTES)
        reader = _Reader(path, events)
        try:
            yield from reader.items()
        except ijson.JSONError as error:
            what = str(error).partition("\n")[0]
            raise InputError(
                f"{path}: must be JSON, in which every number is finite; it is not, or is cut "
                f"off, at {reader.place or 'its beginning'} or soon after ({what})"
            ) from error


class _Reader:
    """Items out of the events of a parser; `place` is where it stands."""

    def __init__(self, path: Path, events: Iterator[Event]) -> None:
        self._path, self._events, self.place = path, events, ""

    def items(self) -> Iterator[StudyItem]:
        found = False
        self._expect(next(self._events), "start_map", f"an object with '{DATA}'")
        for key in self._keys():
            if key != DATA:
                self._skip(next(self._events))
                continue
            if found:
                raise InputError(f"{self._path}: '{DATA}' must come once")
            found, self.place = True, DATA
            self._expect(next(self._events), "start_array", "a list of items")
            yield from self._listed()
        # What follows the end is no JSON, of which the parser tells.
        for _ in self._events:
            pass
        if not found:
            raise InputError(f"{self._path}: must be an object with '{DATA}', a list of items")

    def _listed(self) -> Iterator[StudyItem]:
        number = 0
        while (event := next(self._events))[0] != "end_array":
            self.place = f"{DATA}[{number}]"
            self._expect(event, "start_map", f"an object with {SPEAKER} and {AUDIO}")
            yield self._item(self.place)
            number += 1
            self.place = f"{DATA}[{number}]"

    def _item(self, place: str) -> StudyItem:
        fields: dict[str, Any] = {}
        for key in self._keys():
            self.place = f"{place}.{key}"
            if key not in (SPEAKER, AUDIO, EMBEDDING):
                self._skip(next(self._events))
                continue
            if key in fields:
                raise InputError(f"{self._path}: {self.place} must come once")
            fields[key] = self._numbers() if key == EMBEDDING else self._label(key)
        self.place = place
        for key in (SPEAKER, AUDIO):
            if key not in fields:
                raise InputError(f"{self._path}: {place} must have {key}; it is missing")
        return StudyItem(
            place=place,
            speaker=fields[SPEAKER],
            audio=fields[AUDIO],
            embedding=fields.get(EMBEDDING),
        )

    def _keys(self) -> Iterator[str]:
        while (event := next(self._events))[0] != "end_map":
            yield str(event[1])

    def _label(self, key: str) -> str:
        kind, value = event = next(self._events)
        # Corpora number their speakers, too.
        if key == SPEAKER and kind == "number" and isinstance(value, int):
            return str(value)
        allowed = "text or a whole number" if key == SPEAKER else "text"
        self._expect(event, "string", allowed)
        if not value.strip():
            raise InputError(f"{self._path}: {self.place} must not be empty")
        return str(value)

    def _numbers(self) -> NDArray[np.float32]:
        self._expect(next(self._events), "start_array", "a list of numbers")
        values: list[float] = []
        while (event := next(self._events))[0] != "end_array":
            self._expect(event, "number", "a list of numbers", f"[{len(values)}]")
            values.append(event[1])
        if not values:
            raise InputError(f"{self._path}: {self.place} must be a list of numbers; it is empty")
        try:
            with np.errstate(over="ignore"):
                numbers = np.array(values, np.float64).astype(np.float32)
        except OverflowError:
            numbers = np.array([np.inf], np.float32)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            raise InputError(
                f"{self._path}: {self.place} must be finite in float32; value {bad[0]} is not"
            )
        return numbers

    def _skip(self, event: Event) -> None:
        depth = 0
        while True:
            depth += event[0].startswith("start_")
            depth -= event[0] in _ENDS
            if depth > _DEEPEST:
                raise InputError(f"{self._path}: {self.place or 'it'} is nested too deep")
            if depth == 0:
                return
            event = next(self._events)

    def _expect(self, event: Event, kind: str, allowed: str, part: str = "") -> None:
        if event[0] != kind:
            raise InputError(
                f"{self._path}: {self.place}{part}{' ' if self.place else ''}must be {allowed}; "
                f"got {_KINDS.get(event[0], event[0])}"
            )


_KINDS = {
    "start_map": "an object",
    "start_array": "a list",
    "boolean": "true or false",
    "string": "text",
    "number": "a number",
}
