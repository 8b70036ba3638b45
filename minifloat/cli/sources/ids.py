"""Ids as lines of a text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from minifloat.cli.errors import InputError
from minifloat.cli.writing import PIPE


def id_lines(path: str) -> Iterator[str]:
    """Yield the ids of a text file, one a line, without the space around them; `-` is stdin."""
    if path == PIPE:
        yield from _ids(path, sys.stdin)
        return
    # Some editors begin a text with a byte order mark.
    with open(path, encoding="utf-8-sig") as file:
        yield from _ids(path, file)


def as_line(id: Any) -> str:
    """Return the line of a text that `id_lines` reads as an id; InputError if there is none."""
    line = str(id)
    if line.split("\n") != [line.strip()]:
        raise InputError(f"an id must be one line without space around it; got {line!r}")
    return f"{line}\n"


def _ids(path: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise InputError(f"{path}, line {number}: must be an id; it is blank")
        yield line.strip()
