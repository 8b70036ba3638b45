"""Searches of more rows than one search takes."""

from __future__ import annotations

from collections.abc import Callable

from minifloat.answers import Answer, merged, moved, none_of
from minifloat.ops.products import Best


def in_parts(search: Callable[[Best, Answer], None], most: int, asked: Best, out: Answer) -> None:
    """Fill an answer by a function that searches at most so many rows."""
    rows = asked.sides.shape[1]
    if rows <= most:
        search(asked, out)
        return
    found = none_of(asked.sides.a.data)
    for first in range(0, rows, most):
        end = min(first + most, rows)
        part = asked._replace(
            sides=asked.sides.of_some(slice(first, end)),
            selection=asked.selection.within(first, end),
            k=min(asked.k, end - first),
        )
        answer = part.results()
        search(part, answer)
        found = merged(found, moved(answer, first), asked.k)
    for whole, best in zip(out, found, strict=True):
        whole.copy_(best)
