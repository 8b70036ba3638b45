"""The best rows by the cosines of originals, proven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.answers import Answer
from minifloat.ops.products import Above, Best
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.asking import NO_LIMIT, best_of, reached, rounded_up
from minifloat.scoring.exact.originals import Originals
from minifloat.scoring.exact.reading import Pairs, Reader, least_beside, require_errors, together
from minifloat.vectors import PackedVectors

# Queries that are searched at once.
_TOGETHER = 4096

# How many times k rows a first pass lists, of all that may be among the best, and how many more.
_LISTED, _MORE_LISTED = 8, 246
# How many times k of them, those with the best scores, are read before anything is proven.
_FIRST = 2


class Read(NamedTuple):
    """What an exact search has read.

    rows: how many originals of each query, int64 (queries,). passes: how many times codes were gone
    through, 1 or 2. bytes: of originals.
    """

    rows: Tensor
    passes: int
    bytes: int


def search(
    x: Tensor, asked: Best, database: PackedVectors, rows: Any, rescore: int | None
) -> tuple[Answer, Read]:
    """Return the k best rows by the cosines of originals, on the CPU, and what was read.

    x: the queries as they were given. With rescore, so many originals are read for each query, of
    those with the best scores, and nothing is proven.
    """
    _check(asked, rescore)
    if rescore is None:
        require_errors(database)
    originals, k, passes = Originals(rows, database), asked.k, 1
    found: list[Answer] = [(torch.empty(0, k), torch.empty(0, k, dtype=torch.int64))]
    read = [torch.empty(0, dtype=torch.int64)]
    for first in range(0, len(x), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        lane = asked.sides.a.some(some)
        reader = Reader(x[some], lane, database, originals)
        one = _Search(reader, asked.selection, k)
        pairs = one.proven() if rescore is None else one.rescored(lane, rescore)
        found.append(pairs.best(reader.count, k))
        read.append(torch.bincount(pairs.query, minlength=reader.count))
        passes = max(passes, one.passes)
    scores, numbers = (torch.cat(parts) for parts in zip(*found, strict=True))
    return (scores, numbers), Read(torch.cat(read), passes, originals.bytes_read)


def _check(asked: Best, rescore: int | None) -> None:
    """Raise ValueError for what cannot be asked of a database, wherever queries are."""
    rows = asked.sides.b
    alone = asked._replace(sides=asked.sides._replace(a=rows.some(slice(0))))
    alone.check()
    alone.check_values()
    if rescore is not None and rescore < asked.k:
        raise ValueError(f"rescore must be at least k = {asked.k}; got {rescore}")


class _Search:
    """The k best rows of a selection for some queries."""

    def __init__(self, reader: Reader, selection: Selection, k: int) -> None:
        self.reader, self.selection, self.k = reader, selection, k
        self.taking_part = selection.count(len(reader.database))
        self.passes = 1

    def rescored(self, lane: Rows, most: int) -> Pairs:
        """Return the rows with so many best scores, read."""
        rows = self.reader.database
        b = Rows(rows.codes, rows.reciprocal_norms, rows.coordinates)
        sides = Sides(lane, b, rows.format.name, rows.dim)
        query, row, _ = self._listed(sides, min(most, self.taking_part))
        return self.reader.read(query, row)

    def proven(self) -> Pairs:
        """Return rows that were read, of which the k best of each query are the best of all."""
        reader, bounds = self.reader, self.reader.bounds
        sides = bounds.sides()
        count = min(self.taking_part, max(_LISTED * self.k, self.k + _MORE_LISTED))
        query, row, made = self._listed(sides, count)
        scores = bounds.scores(query, row, made).reshape(-1, count)
        best = scores.topk(min(count, _FIRST * self.k)).indices
        first = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, best, True).flatten()
        known = reader.read(query[first], row[first])
        cut = self._cut([known])
        also = ~first & (bounds.most(query, made) >= cut[query])
        kept = [reader.opened(query[also], row[also], cut, known)]
        # What is not in a list has bounds no higher than its last one.
        cut, last = self._cut(kept), made.reshape(-1, count)[:, -1]
        # A zero query has the cosine 0 with all rows, of which the list has the lowest.
        is_open = (bounds.most(torch.arange(reader.count), last) >= cut) & ~reader.is_zero
        if count < self.taking_part and is_open.any():
            self.passes = 2
            listed = row.reshape(-1, count)
            kept += self._beyond(sides, is_open.nonzero().squeeze(1), listed, cut)
        return Pairs.joined(kept)

    def _listed(self, sides: Sides, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries and rows, by number, and the scores of so many best ones of each query."""
        made, row = (part.cpu().flatten() for part in best_of(Best(sides, self.selection, count)))
        return torch.arange(self.reader.count).repeat_interleave(count), row, made

    def _beyond(
        self, sides: Sides, queries: Tensor, listed: Tensor, cut: Tensor
    ) -> Iterator[Pairs]:
        """Yield the rows that are in no list and whose cosines may be as high as cuts, read."""
        bounds, rows = self.reader.bounds, len(self.reader.database)
        thresholds = rounded_up(bounds.to_reach(cut))
        for some in queries.split(together(self.reader.database)):
            a = sides.a.some(some.to(sides.a.data.device))
            of_some = sides._replace(a=a), self.selection, thresholds[some].to(a.data.device)
            offsets, row, _ = (part.cpu() for part in reached(Above(*of_some, NO_LIMIT)))
            query = some.repeat_interleave(offsets.diff())
            new = ~_are_among(query * rows + row, some[:, None] * rows + listed[some])
            yield self.reader.opened(query[new], row[new], cut)

    def _cut(self, kept: list[Pairs]) -> Tensor:
        """Return what cosines of each query must be above to be among the k best, float64."""
        scores, _ = Pairs.joined(kept).best(self.reader.count, self.k)
        return least_beside(scores[:, -1])


def _are_among(numbers: Tensor, known: Tensor) -> Tensor:
    """Return which numbers are known ones, of which there are some."""
    known = known.flatten().sort().values
    place = torch.searchsorted(known, numbers).clamp(max=len(known) - 1)
    return known[place] == numbers
