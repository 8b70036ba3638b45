"""A packed file as a database: rows by number, or by the lines of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from minifloat.cli.databases.database import Asked, Found, Queries
from minifloat.cli.errors import InputError
from minifloat.cli.results import shortest
from minifloat.cli.sources import id_lines
from minifloat.scoring import pairs_above, range_search, scores, search
from minifloat.vectors import PackedVectors


class PackedDatabase:
    """The rows of a packed file, mapped."""

    def __init__(self, path: str, ids: str | None) -> None:
        self._path, self._rows = path, PackedVectors.load(path)
        self._ids = None if ids is None else [*id_lines(ids)]
        if self._ids is not None and len(self._ids) != len(self._rows):
            raise InputError(
                f"{ids} must hold an id for each of {len(self._rows)} rows of {path}; "
                f"got {len(self._ids)}"
            )
        self.label = "row" if self._ids is None else "id"
        self.dim = self._rows.dim

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def close(self) -> None:
        """Leave the file mapped for as long as its rows are used."""

    def found(self, queries: Queries, asked: Asked) -> Found:
        """Return what was looked for, by each query; fewer than k where there are no more."""
        if asked.where is not None:
            raise InputError(f"--where is of an index; {self._path} is a packed file")
        if asked.threshold is not None:
            reached = range_search(
                queries, self._rows, asked.threshold, order="score", originals=asked.originals
            )
            counts = reached.offsets.diff().tolist()
            return Found(counts, self._names(reached.rows), shortest(reached.scores))
        k = min(asked.k, len(self._rows))
        best, rows = search(queries, self._rows, k, originals=asked.originals)
        return Found([k] * len(queries), self._names(rows.flatten()), shortest(best.flatten()))

    def pairs(self, threshold: float) -> Iterator[tuple[list[Any], list[Any], list[float]]]:
        """Yield pairs of rows whose score is at least the threshold, some rows at a time."""
        for pairs, found in pairs_above(self._rows, threshold):
            yield self._names(pairs[:, 0]), self._names(pairs[:, 1]), shortest(found)

    def cosines(self, left: Sequence[str], right: Sequence[str]) -> Tensor:
        """Return the score of each two ids, or row numbers where there are no ids."""
        pairs = torch.tensor([[self._row(one) for one in side] for side in (left, right)]).T
        found: Tensor = scores(self._rows, self._rows, pairs=pairs)
        return found

    def _names(self, rows: Any) -> list[Any]:
        numbers: list[int] = rows.tolist()
        return numbers if self._ids is None else [self._ids[row] for row in numbers]

    def _row(self, name: str) -> int:
        if self._ids is None:
            if not name.isdecimal() or int(name) >= len(self._rows):
                raise InputError(
                    f"rows of {self._path} are 0 to {len(self._rows) - 1}, and --ids names them; "
                    f"got {name!r}"
                )
            return int(name)
        row = self._by_id.get(name)
        if row is None:
            raise InputError(f"no row of {self._path} has id {name!r}")
        return row

    @cached_property
    def _by_id(self) -> dict[str, int]:
        assert self._ids is not None
        rows = {name: row for row, name in enumerate(self._ids)}
        if len(rows) < len(self._ids):
            twice = next(one for row, one in enumerate(self._ids) if rows[one] != row)
            raise InputError(f"ids of {self._path} must differ; got {twice!r} twice")
        return rows
