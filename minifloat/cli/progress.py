"""How far a command is, for those who watch: rate and time left on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def watched(
    things: Iterable[T], total: int | None, *, name: str, size: Callable[[T], int]
) -> Iterator[T]:
    """Yield the things in turn, behind a bar of rows where stderr is a terminal."""
    # tqdm's None turns the bar off where nobody watches.
    bar = tqdm(
        total=total,
        desc=name,
        unit=" rows",
        unit_scale=True,
        leave=False,
        disable=None,
        file=sys.stderr,
    )
    with bar:
        for thing in things:
            yield thing
            bar.update(size(thing))
