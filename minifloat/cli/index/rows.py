"""Rows of a file that go into an index, with ids and columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minifloat.cli.databases.indexes import KINDS, as_kind
from minifloat.cli.errors import InputError
from minifloat.cli.progress import watched
from minifloat.cli.sources import Block, Source, rows_named


@dataclass(frozen=True, kw_only=True)
class Put:
    """How rows are put: `add` or `upsert` of an index, and what kind ids of texts are."""

    put: Callable[..., None]
    id_kind: str
    numbered: bool = False

    def rows(self, source: Source) -> int:
        """Put all rows of a source; return how many they are."""
        for block in watched(source.blocks(), source.rows, name="adding", size=len):
            if len(block):
                ids = self._ids(block, source)
                with rows_named(block, source.name):
                    self.put(ids, block.x, **block.columns)
        return source.rows

    def _ids(self, block: Block, source: Source) -> list[Any]:
        if block.ids is None:
            if not self.numbered:
                raise InputError(
                    f"rows need ids: --id names their column in {source.name}, or --ids a text "
                    "with an id a line"
                )
            return [*range(block.first, block.first + len(block))]
        if all(isinstance(one, str) for one in block.ids):
            return as_kind(self.id_kind, block.ids)
        return [*block.ids]


def id_kind(name: str | None, there: str | None = None) -> str:
    """Return the kind of ids that is named, or that is there, or text."""
    if name is not None and name not in KINDS:
        raise InputError(f"--id-type must be one of {', '.join(KINDS)}; got {name!r}")
    return name or there or "text"
