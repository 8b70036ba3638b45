"""Pairs of queries and rows, with the cosines of originals, each held against its codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.answers import Answer
from minifloat.arrays import as_rows
from minifloat.ops.rows import Rows
from minifloat.scoring.exact.bounds import Bounds, queries_of
from minifloat.scoring.exact.originals import Originals
from minifloat.vectors import PackedVectors

# Pairs that are bounded at once: some dozens of float64 of each are in memory then.
_AT_ONCE = 1 << 20

# Pairs that may be gathered at once, of all rows, and the most queries of which they are.
_GATHERED, _MOST_QUERIES = 1 << 26, 64


def together(database: PackedVectors) -> int:
    """Return of how many queries all rows may be gathered at once."""
    return max(1, min(_MOST_QUERIES, _GATHERED // max(1, len(database))))


class Pairs(NamedTuple):
    """Queries and rows, by number, and their cosines: int64, int64 and float64, (pairs,)."""

    query: Tensor
    row: Tensor
    cosine: Tensor

    @staticmethod
    def joined(parts: list[Pairs]) -> Pairs:
        """Return those of all parts."""
        return Pairs(*[torch.cat(of_each) for of_each in zip(*parts, strict=True)])

    def best(self, queries: int, k: int) -> Answer:
        """Return the k best of each query, which has as many: float32 and int64, (queries, k)."""
        order = self.row.argsort(stable=True)
        scores = self.cosine.float()
        order = order[scores[order].argsort(stable=True, descending=True)]
        order = order[self.query[order].argsort(stable=True)]
        counts = torch.bincount(self.query, minlength=queries)
        chosen = order[(counts.cumsum(0) - counts)[:, None] + torch.arange(k)]
        return scores[chosen], self.row[chosen]


class Reader:
    """Some queries, beside a database and its originals.

    x: (n, dim), as they were given, and in the lane of the database's format.
    """

    def __init__(self, x: Tensor, lane: Rows, database: PackedVectors, rows: Originals) -> None:
        self.database = database
        self._queries, self._rows = queries_of(x, lane, database), rows
        self.bounds = Bounds(self._queries, database)
        self.count, self.is_zero = len(x), lane.norms.cpu() == 0

    def read(self, query: Tensor, row: Tensor) -> Pairs:
        """Return pairs, read."""
        return Pairs(query, row, self._rows.cosines(self._queries.x, query, row))

    def opened(self, query: Tensor, row: Tensor, cut: Tensor, known: Pairs | None = None) -> Pairs:
        """Return pairs that were read already, and then those that may be as high as cuts, read.

        ValueError for a cosine that the codes of its row cannot have.
        """
        none = self.read(query[:0], row[:0])
        parts = [self._opened(query[:_AT_ONCE], row[:_AT_ONCE], cut, known or none)]
        for first in range(_AT_ONCE, len(query), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            parts.append(self._opened(query[some], row[some], cut, none))
        return Pairs.joined(parts)

    def _opened(self, query: Tensor, row: Tensor, cut: Tensor, known: Pairs) -> Pairs:
        count = len(known.query)
        query, row = torch.cat([known.query, query]), torch.cat([known.row, row])
        least, most = self.bounds.of_pairs(query, row)
        may = most >= cut[query]
        may[:count] = False
        pairs = Pairs.joined([known, self.read(query[may], row[may])])
        may[:count] = True
        wrong = ((pairs.cosine < least[may]) | (pairs.cosine > most[may])).nonzero()
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(
                "originals are not the rows that the database was made of: row "
                f"{int(pairs.row[i])} has cosine {float(pairs.cosine[i]):.6g} with a query, and by "
                f"its codes {float(least[may][i]):.6g} to {float(most[may][i]):.6g}"
            )
        return pairs


def require_errors(database: PackedVectors) -> None:
    """Raise ValueError for a database whose answers cannot be proven."""
    if database.errors is None:
        raise ValueError(
            "the database keeps no errors, by which answers are proven: make it by "
            "quantize(..., errors=True), or have a fixed number of originals read, by rescore, "
            "which proves nothing"
        )


def least_beside(scores: Tensor) -> Tensor:
    """Return cosines below all that are rounded to scores, float64: the next lower float32."""
    return torch.nextafter(scores, torch.full_like(scores, -2)).double()


def float_queries(queries: Any) -> Tensor:
    """Return queries as a tensor; ValueError for codes."""
    if isinstance(queries, PackedVectors):
        raise ValueError(
            "originals are compared with float queries; got packed ones, whose originals are "
            "not known"
        )
    return as_rows("queries", queries).detach()
