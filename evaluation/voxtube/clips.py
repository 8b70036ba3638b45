"""Clips of a data set as its files hold them, in their order, whatever kind of file it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from evaluation.command.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns are called; `audio` holds sounds, or paths of them."""

    speaker: str
    language: str
    audio: str


@dataclass(frozen=True, kw_only=True)
class Label:
    """Who speaks in a clip, and in which language; `place` is what messages call it."""

    place: str
    speaker: str
    language: str


def label_of(where: str, place: str, columns: Columns, speaker: Any, language: Any) -> Label:
    """Return a label of what a file has; InputError, which begins with `where`, if it is none.

    A clip may be of no language, and is not of the one that is asked for then.
    """
    for name, value in ((columns.speaker, speaker), (columns.language, language)):
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise InputError(f"{where}: {name} must be text or a whole number; got {value!r}")
    if speaker is None or not str(speaker).strip():
        raise InputError(f"{where}: {columns.speaker} must not be empty")
    return Label(
        place=place, speaker=str(speaker), language="" if language is None else str(language)
    )


# The bytes of a recording; an UnreadableError says why there are none.
Sound = Callable[[], bytes]
Wanted = Callable[[Label], bool]


class Clips(Protocol):
    """The clips of a data set."""

    def labels(self) -> Iterator[Label]:
        """Yield the label of every clip, in order; no sound is read."""

    def sounds(self, wanted: Wanted) -> Iterator[tuple[Label, Sound]]:
        """Yield the clips that are wanted by the time that their turn comes."""
