"""Lists of trials: two ids a line, and a label that says whether they are of one speaker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from minifloat.cli.errors import InputError
from minifloat.cli.writing import PIPE

_LABELS = {"0": False, "1": True, "nontarget": False, "target": True}


class Trial(NamedTuple):
    """Two ids, and whether they are said to be of one speaker; None where nothing is said."""

    left: str
    right: str
    label: bool | None


_Form = Callable[[list[str]], Trial | None]


def trials(path: str) -> Iterator[Trial]:
    """Yield the trials of a text; `-` is stdin.

    Lines are `id id`, `label id id` with a label of 0 or 1 (VoxCeleb), or `id id label` with one of
    target or nontarget (Kaldi). The first line decides the form of all.
    """
    if path == PIPE:
        yield from _trials(path, sys.stdin)
        return
    # Some editors begin a text with a byte order mark.
    with open(path, encoding="utf-8-sig") as file:
        yield from _trials(path, file)


def _trials(path: str, lines: Iterator[str]) -> Iterator[Trial]:
    form: _Form | None = None
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        form = form or next((one for one in _MEANT if one(words)), None)
        trial = form(words) if form else None
        if trial is None:
            meant = _MEANT[form] if form else " or ".join(_MEANT.values())
            raise InputError(f"{path}, line {number}: must be {meant}; got '{line.strip()}'")
        yield trial


def _bare(words: list[str]) -> Trial | None:
    return Trial(words[0], words[1], None) if len(words) == 2 else None


def _voxceleb(words: list[str]) -> Trial | None:
    if len(words) != 3 or words[0] not in ("0", "1"):
        return None
    return Trial(words[1], words[2], _LABELS[words[0]])


def _kaldi(words: list[str]) -> Trial | None:
    if len(words) != 3 or words[2] not in ("target", "nontarget"):
        return None
    return Trial(words[0], words[1], _LABELS[words[2]])


# Kaldi's before VoxCeleb's: ids may be numbers.
_MEANT: dict[_Form, str] = {
    _bare: "'id id'",
    _kaldi: "'id id label' with a label of target or nontarget",
    _voxceleb: "'label id id' with a label of 0 or 1",
}
