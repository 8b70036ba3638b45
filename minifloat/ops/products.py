"""What is asked of the products of rows: requests, which operators and backends take whole.

A request's `check` goes by types, shapes and devices, and so when it is fake too; `check_values`
looks at what is in tensors. Kernels trust what both have let through.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from minifloat.answers import Answer, Reached
from minifloat.ops.checks import check_device, name_of
from minifloat.ops.rows import Selection, Sides

# What is asked of selected rows.
Selecting = TypeVar("Selecting", "Best", "Above")


class Request(Protocol):
    """What is asked of sides."""

    @property
    def sides(self) -> Sides:
        """The rows that are multiplied."""

    def check(self) -> None:
        """Raise TypeError or ValueError for what cannot be asked."""

    def check_values(self) -> None:
        """Raise ValueError for what the values show that cannot be asked."""

    def results(self) -> Any:
        """Return new tensors for the answer."""


class AllScores(NamedTuple):
    """The cosines of all rows of a and all of b: float32, (a, b)."""

    sides: Sides

    def check(self) -> None:
        """Raise TypeError or ValueError for rows that do not go together."""
        self.sides.check()

    def check_values(self) -> None:
        """Let all values through: any rows have scores."""

    def results(self) -> Tensor:
        """Return a new matrix."""
        return self.sides.b.norms.new_empty(self.sides.shape)

    def check_out(self, out: Tensor) -> None:
        """Raise ValueError for what is not the contiguous matrix that the scores are written to."""
        shape = self.sides.shape
        if out.dtype != torch.float32 or out.shape != shape or not out.is_contiguous():
            contiguous = "contiguous" if out.is_contiguous() else "not contiguous"
            raise ValueError(
                f"out must be contiguous float32 of shape {shape}; "
                f"got {contiguous} {name_of(out.dtype)} of shape {tuple(out.shape)}"
            )
        check_device("out", out, self.sides.b.data.device)


class PairScores(NamedTuple):
    """The cosines of rows a[pairs[:, 0]] and b[pairs[:, 1]]: float32, (pairs,)."""

    sides: Sides
    pairs: Tensor

    def check(self) -> None:
        """Raise TypeError or ValueError for rows that do not go together, or no pairs."""
        self.sides.check()
        pairs = self.pairs
        if pairs.dtype != torch.int64:
            raise TypeError(f"pairs must be int64; got {name_of(pairs.dtype)}")
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"pairs must have shape (n, 2); got {tuple(pairs.shape)}")
        check_device("pairs", pairs, self.sides.b.data.device)

    def check_values(self) -> None:
        """Raise ValueError for a pair of rows that are not there."""
        if len(self.pairs) == 0:
            return
        least, most = self.pairs.aminmax()
        if least.item() >= 0 and most.item() < min(self.sides.shape):
            return
        for name, rows, column in zip("ab", self.sides.shape, self.pairs.unbind(1), strict=True):
            wrong = column[(column < 0) | (column >= rows)]
            if len(wrong):
                last = rows - 1
                raise ValueError(f"pairs must name rows 0..{last} of {name}; got {int(wrong[0])}")

    def results(self) -> Tensor:
        """Return a new score for each pair."""
        return self.sides.b.norms.new_empty(self.pairs.shape[0])


class Best(NamedTuple):
    """The k best cosines of each row of a, and their rows of b: float32 and int64, (a, k)."""

    sides: Sides
    selection: Selection
    k: int

    def check(self) -> None:
        """Raise TypeError or ValueError for what does not go together, or k for too few rows."""
        self.sides.check()
        b, k = self.sides.b.data, self.k
        self.selection.check(b)
        if b.shape[0] == 0:
            raise ValueError(f"the database is empty: it has no rows to find; got k = {k}")
        if not 1 <= k <= b.shape[0]:
            raise ValueError(f"k must be in 1..{b.shape[0]}, the rows of the database; got {k}")

    def check_values(self) -> None:
        """Raise ValueError for wrong ranges, or where k rows do not take part."""
        self.selection.check_values(self.sides.b.data.shape[0], self.k)

    def results(self) -> Answer:
        """Return new scores and rows."""
        shape, norms = (self.sides.a.data.shape[0], self.k), self.sides.b.norms
        return norms.new_empty(shape), norms.new_empty(shape, dtype=torch.int64)


class Above(NamedTuple):
    """The rows of b whose cosines reach the threshold of a row of a, as `Reached` tells them.

    thresholds: float32 (a,). More rows in all than the limit are too many.
    """

    sides: Sides
    selection: Selection
    thresholds: Tensor
    limit: int

    def check(self) -> None:
        """Raise TypeError or ValueError for what does not go together."""
        self.sides.check()
        self.selection.check(self.sides.b.data)
        thresholds, queries = self.thresholds, self.sides.a.data.shape[:1]
        if thresholds.dtype != torch.float32 or thresholds.shape != queries:
            raise ValueError(
                f"thresholds must be float32 of shape ({queries[0]},), one a query; "
                f"got {name_of(thresholds.dtype)} of shape {tuple(thresholds.shape)}"
            )
        check_device("thresholds", thresholds, self.sides.b.data.device)
        if self.limit < 0:
            raise ValueError(f"limit must be 0 or more; got {self.limit}")

    def check_values(self) -> None:
        """Raise ValueError for wrong ranges, or a threshold that is no number."""
        self.selection.check_ranges(self.sides.b.data.shape[0])
        if self.thresholds.isnan().any():
            query = int(self.thresholds.isnan().nonzero()[0])
            raise ValueError(f"thresholds must be numbers; got NaN for query {query}")

    def refuse_above_limit(self, found: int) -> None:
        """Raise ValueError where more rows were found than may be."""
        refuse_above_limit(found, self.limit)

    def results(self, found: int) -> Reached:
        """Return new tensors for so many rows."""
        norms = self.sides.b.norms
        offsets = norms.new_empty(self.sides.a.data.shape[0] + 1, dtype=torch.int64)
        return Reached(offsets, norms.new_empty(found, dtype=torch.int64), norms.new_empty(found))


def refuse_above_limit(found: int, limit: int) -> None:
    """Raise ValueError where more rows were found than may be."""
    if found > limit:
        raise ValueError(
            f"more than limit={limit} rows reach their thresholds: raise the thresholds, "
            "or the limit"
        )


def contiguous(asked: Selecting) -> Selecting:
    """Return the same in memory without gaps."""
    sides, selection = asked.sides.contiguous(), asked.selection.contiguous()
    if sides is asked.sides and selection is asked.selection:
        return asked
    return asked._replace(sides=sides, selection=selection)
