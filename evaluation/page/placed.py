"""Tables in their places on a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from evaluation.page.page import Block, Fold
from evaluation.page.table import Table

# What the tables of a study are made of.
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PlacedTable(Generic[T]):
    """A table and its place; `make` measures what it alone needs, and returns None without that.

    One that is `folded` is seen when its `title`, or else its caption, is chosen.
    """

    make: Callable[[T], Table | None]
    place: Enum
    folded: bool = False
    title: str = ""


def tables_at(
    tables: Sequence[PlacedTable[T]], place: Enum, told: T, *, folded: bool | None = None
) -> list[Block]:
    """Return the tables of a place, made of what is told; or those of it that are folded or not."""
    blocks: list[Block] = []
    for one in tables:
        if one.place is not place or folded not in (None, one.folded):
            continue
        table = one.make(told)
        if table is not None:
            title = one.title or table.caption
            blocks.append(Fold(title=title, blocks=[table]) if one.folded else table)
    return blocks
