"""What scores of codes say of the cosines of the rows that the codes were made of.

`docs/reference/exact.md` derives every term. Rounding turned a row, and what is left of it in a
frame, by an angle that its error tells, and a query by one that is measured; directions that are at
an angle to each other were at one that differs by no more than both.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from minifloat.angles import ANGLES, chords
from minifloat.frames import tensors_of
from minifloat.ops import answer
from minifloat.ops.products import PairScores
from minifloat.ops.rows import Rows, Sides
from minifloat.scoring.exact.lanes import in_one_plane
from minifloat.scoring.exact.margins import TINY, margins_of
from minifloat.scoring.exact.slacks import (
    LEAST_COSINES,
    MOST_COSINES,
    MOST_TURNED,
    rest_length,
    with_slacks,
)
from minifloat.vectors import PackedVectors

# A power of two, by which bounds are divided so that none comes to lie beyond -1 or 1.
_PARTS = 4


class InLane(NamedTuple):
    """Queries as products take them, and the angle by which that has turned each: float64 (n,)."""

    rows: Rows
    turned: Tensor


class Queries(NamedTuple):
    """Some queries beside a database: float rows as they were given, and what bounds need of them.

    x: float64 (n, dim). coarse and fine: in the lane, for all rows and for a few. coordinates:
    float64 (n, axes). rest: the length of what is left in the frame, float64 (n,).
    """

    x: Tensor
    coarse: InLane
    fine: InLane
    coordinates: Tensor
    rest: Tensor


def queries_of(x: Tensor, lane: Rows, database: PackedVectors) -> Queries:
    """Return queries (n, dim), given as they are and in the lane of a database."""
    rest, frame = x, database.frame
    coordinates = torch.empty(len(x), 0, dtype=torch.float64)
    lengths = (lane.norms != 0).cpu().double()
    if frame is not None:
        rest, along, length = torch.ops.minifloat.project(x, tensors_of(frame, x.device))
        coordinates, lengths = along.cpu().double(), length.cpu().double()
    rest = rest.cpu().double()
    # Products of bfloat16 take the sum of two for a query.
    rounding = 2.0**-17 if database.format.lane == "float" else 0.0

    def turned(rows: Rows) -> InLane:
        chord = chords(rest, rows.data.cpu().double()).sqrt()
        return InLane(rows, 2 * (chord / 2).clamp(max=1).asin() + rounding + TINY)

    coarse = in_one_plane(rest, lengths, lane, database.format)
    fine = turned(lane)
    given = x.cpu().double().contiguous()
    return Queries(given, fine if coarse is lane else turned(coarse), fine, coordinates, lengths)


class Bounds:
    """Bounds of the cosines of some queries and the rows of a database."""

    def __init__(self, queries: Queries, database: PackedVectors) -> None:
        self.queries, self.database = queries, database
        self.margins = margins_of(database)
        # What may come on top of a bound for all rows alike.
        of_query = queries.rest * queries.coarse.turned * (1 + TINY)
        self._more = of_query + self.margins.rows + self.margins.scores

    def sides(self) -> Sides:
        """Return what scores are to be made of: _PARTS times one, and `_more`, is a bound.

        How far rounding may have turned a row is a coordinate of it, beside those in a frame.
        """
        queries, rows = self.queries, self.database
        along = torch.cat([queries.coordinates, queries.rest[:, None]], 1)
        b = Rows(rows.codes, rows.reciprocal_norms, with_slacks(rows))
        return Sides(_in_parts(queries.coarse.rows, along), b, rows.format.name, rows.dim)

    def most(self, query: Tensor, made: Tensor) -> Tensor:
        """Return the most that cosines can be, float64, where queries made such scores."""
        return made.double() * _PARTS + self._more[query]

    def to_reach(self, least: Tensor) -> Tensor:
        """Return what scores must reach where cosines may reach numbers, float64 (n,)."""
        return (least - self._more) / _PARTS

    def scores(self, query: Tensor, row: Tensor, made: Tensor) -> Tensor:
        """Return what scores of pairs would be without a bound in them: float64 (pairs,)."""
        slack = with_slacks(self.database)[row.to(self.database.device), -1]
        return made.double() * _PARTS - self.queries.rest[query] * slack.cpu().double()

    def of_pairs(self, query: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the least and the most that cosines can be, float64 (pairs,)."""
        database, queries = self.database, self.queries
        there = row.to(database.device)
        coordinates = with_slacks(database)[there, :-1].cpu().double()
        along = (queries.coordinates[query] * coordinates).sum(1)
        beside = self._fine_scores(query, there) - along
        errors = _errors_of(database)[there].cpu().long()
        lengths = queries.rest[query] * rest_length(coordinates, self.margins.rows)
        lengths += self.margins.rows
        high, low = beside + self.margins.scores, beside - self.margins.scores
        if database.estimator == "unbiased":
            # Scores are by so much larger than they would be of codes as they are.
            least, most = LEAST_COSINES[errors], MOST_COSINES[errors]
            high *= torch.where(high > 0, most, least)
            low *= torch.where(low > 0, least, most)
        angle = ANGLES[errors] + queries.fine.turned[query] + TINY
        turn = angle.cos(), angle.sin()
        most = along + _nearer(high, lengths, *turn) + self.margins.rows
        least = along - _nearer(-low, lengths, *turn) - self.margins.rows
        unknown = ANGLES[errors] > MOST_TURNED
        return torch.where(unknown, -1 - TINY, least), torch.where(unknown, 1 + TINY, most)

    def _fine_scores(self, query: Tensor, row: Tensor) -> Tensor:
        """Return scores of pairs with queries in all their precision: float64 (pairs,)."""
        rows = self.database
        a = _in_parts(self.queries.fine.rows, self.queries.coordinates)
        b, device = Rows(rows.codes, rows.reciprocal_norms, rows.coordinates), a.data.device
        if device != rows.device:
            b, row = b.some(row).to(device), torch.arange(len(row))
        pairs = torch.stack([query.to(device), row.to(device)], 1)
        found: Tensor = answer(PairScores(Sides(a, b, rows.format.name, rows.dim), pairs))
        return found.cpu().double() * _PARTS


def _in_parts(rows: Rows, along: Tensor) -> Rows:
    """Return queries whose scores are by so much smaller, with other coordinates, float64."""
    coordinates = (along / _PARTS).float().to(rows.data.device)
    return Rows(rows.data, rows.norms / _PARTS, coordinates if coordinates.shape[1] else None)


def _errors_of(database: PackedVectors) -> Tensor:
    assert database.errors is not None
    return database.errors


def _nearer(product: Tensor, lengths: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Return the product of vectors whose lengths have a product, turned nearer by an angle."""
    product = product.clamp(-lengths, lengths)
    across = (lengths.square() - product.square()).clamp(min=0).sqrt()
    turned = product * cosine + across * sine
    return torch.where(product >= lengths * cosine, lengths, turned)
