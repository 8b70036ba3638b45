"""Scores and searches, by Triton's kernels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from minifloat.answers import Answer
from minifloat.backends.parts import in_parts
from minifloat.backends.reaching import reaching
from minifloat.backends.triton.coding import elements_of
from minifloat.backends.triton.launch import blocks, launch, multiprocessors
from minifloat.backends.triton.plan import Plan, Way, constants_of, facts_of, plan_of, unit_of
from minifloat.backends.triton.products import scores_kernel
from minifloat.backends.triton.rows import pair_scores_kernel
from minifloat.backends.triton.search import MOST_ROWS, answers_kernel, search_kernel
from minifloat.formats import Format, as_format
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection

# Pairs, or queries, and columns of one program of the kernels that go by these.
_ROWS = 16
_COLUMNS = 64

# A search finds so many at a time: more of them do not fit into registers.
MOST_KEPT = 256

# Slices of the database for each multiprocessor, so that all are busy to the end.
_SLICES = 4


def all_scores(asked: AllScores, out: Tensor) -> None:
    a, b, format, dim = asked.sides.contiguous()
    f, (queries, rows) = as_format(format), asked.sides.shape
    plan = plan_of(a, f, dim)
    way = plan.way(queries)
    row_blocks = blocks(rows, way.rows)
    launch(scores_kernel, row_blocks * blocks(queries, way.queries))(
        plan.lay_out(elements_of(a, f, dim)),
        _factors(a, f),
        a.coordinates,
        queries,
        queries * plan.groups,
        b.data,
        b.norms,
        b.coordinates,
        rows,
        row_blocks,
        plan.groups,
        f.row_bytes(dim),
        out,
        WAY=way,
        **constants_of(b.axes),
    )


above = reaching(all_scores)


def pair_scores(asked: PairScores, out: Tensor) -> None:
    a, b, format, dim = asked.sides.contiguous()
    f, pairs = as_format(format), asked.pairs.contiguous()
    launch(pair_scores_kernel, blocks(len(pairs), _ROWS))(
        a.data,
        _factors(a, f),
        a.coordinates,
        b.data,
        b.norms,
        b.coordinates,
        pairs,
        len(pairs),
        dim,
        f.row_bytes(dim),
        out,
        A_PACKED=a.is_packed,
        FORMAT=facts_of(f),
        PAIRS=_ROWS,
        COLUMNS=_COLUMNS,
        **constants_of(b.axes),
    )


def best(asked: Best, out: Answer) -> None:
    in_parts(_best, MOST_ROWS, asked, out)


def _best(asked: Best, out: Answer) -> None:
    """Find the best of as many rows as one search takes."""
    a, b, format, dim = asked.sides.contiguous()
    (scores, numbers), k = out, asked.k
    f, queries = as_format(format), len(a.data)
    plan = plan_of(a, f, dim)
    way = plan.way(queries, min(k, MOST_KEPT))
    elements, mask = plan.lay_out(elements_of(a, f, dim)), _mask(asked.selection, len(b.data))
    tiles = _Tiles(plan, way, elements, _factors(a, f), a.coordinates, b, mask)
    last = None
    for first in range(0, k, MOST_KEPT):
        count = min(MOST_KEPT, k - first)
        keys = tiles.best(count, last)
        launch(answers_kernel, blocks(queries, _ROWS))(
            keys,
            scores[:, first:],
            numbers[:, first:],
            queries,
            count,
            k,
            QUERIES=_ROWS,
            KEPT=way.kept,
        )
        last = keys[:, -1].contiguous()


@dataclass(frozen=True)
class _Tiles:
    """Queries, laid out, and rows that are searched, of which a mask may choose some."""

    plan: Plan
    way: Way
    queries: Tensor
    factors: Tensor
    coordinates: Tensor | None
    rows: Rows
    mask: Tensor | None

    def best(self, k: int, last: Tensor | None) -> Tensor:
        """Return the keys of the k best scores and their rows, of those after the last ones."""
        plan, count, rows = self.plan, len(self.factors), len(self.rows.data)
        query_blocks = blocks(count, self.way.queries)
        wanted = max(1, _SLICES * multiprocessors(self.factors.device) // max(1, query_blocks))
        slice_rows = blocks(blocks(rows, wanted), self.way.rows) * self.way.rows
        slices = blocks(rows, slice_rows)
        keys = torch.empty((count, slices, k), dtype=torch.int64, device=self.factors.device)
        launch(search_kernel, query_blocks, slices)(
            self.queries,
            self.factors,
            self.coordinates,
            count,
            count * plan.groups,
            self.rows.data,
            self.rows.norms,
            self.rows.coordinates,
            self.mask,
            rows,
            slice_rows,
            plan.groups,
            plan.format.row_bytes(plan.dim),
            k,
            last,
            keys,
            WAY=self.way,
            **constants_of(self.rows.axes),
        )
        return keys.flatten(1).topk(k).values


def _factors(a: Rows, f: Format) -> Tensor:
    """Return what products of queries are multiplied by, but for the norms of the rows."""
    return a.norms * unit_of(a, f)


def _mask(selection: Selection, rows: int) -> Tensor | None:
    """Return the rows that take part, (rows,) bool, or None where all do; without waiting."""
    mask, ranges = selection.contiguous()
    if ranges is None:
        return mask
    steps = torch.zeros(rows + 1, dtype=torch.int32, device=ranges.device)
    one = torch.ones_like(ranges[:, 0], dtype=torch.int32)
    steps.index_add_(0, ranges[:, 0], one).index_add_(0, ranges[:, 1], -one)
    inside = steps.cumsum(0)[:rows] > 0
    return inside if mask is None else inside & mask
