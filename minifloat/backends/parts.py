"""Searches of more rows than one search takes."""

from __future__ import annotations

from collections.abc import Callable

from minifloat.answers import Answer, Reached, merged, moved, none_of, put_together
from minifloat.ops.products import Above, Best


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


def reached_in_parts(find: Callable[[Above], Reached], most: int, asked: Above) -> Reached:
    """Return all rows by a function that goes through at most so many."""
    rows = asked.sides.shape[1]
    if rows <= most:
        return find(asked)
    found: list[Reached] = []
    for first in range(0, rows, most):
        end = min(first + most, rows)
        sides, selection = asked.sides.of_some(slice(first, end)), asked.selection
        part = find(asked._replace(sides=sides, selection=selection.within(first, end)))
        found.append(part._replace(rows=part.rows + first))
        asked.refuse_above_limit(sum(len(one.rows) for one in found))
    return put_together(found, asked.sides.a.data)
