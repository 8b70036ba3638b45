"""All rows whose cosines reach a threshold, straight from packed rows."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import Any, Literal

import torch
from torch import Tensor

from minifloat.answers import Reached
from minifloat.arrays import RowsLike, as_made, as_tensor
from minifloat.ops.products import Above
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring import exact
from minifloat.scoring.asking import NO_LIMIT, reached, rounded_up
from minifloat.scoring.queries import are_from_numpy, rows_of, sides_of
from minifloat.scoring.selecting import Mask, Ranges, selection_of
from minifloat.vectors import PackedVectors

Order = Literal["row", "score"]

# Rows of a database that meet all others at once.
_TOGETHER = 4096


def range_search(
    queries: PackedVectors | RowsLike,
    database: PackedVectors,
    threshold: float | RowsLike,
    *,
    mask: Mask = None,
    ranges: Ranges = None,
    order: Order = "row",
    limit: int | None = None,
    originals: Any = None,
) -> Reached:
    """Return all rows whose cosine with a query is at least the threshold, of each query.

    The answer has `offsets`, int64 (queries + 1,), `rows`, int64, and `scores`, float32: those of
    query i are at offsets[i] to offsets[i + 1]. They ascend by row, or with order "score" descend
    by score, of equal ones the lower row first. A score of NaN reaches nothing.

    threshold is one for all queries, or one a query, as a tensor, an array or a list. queries, mask
    and ranges are as in `search`, and so is of which kind answers are. Where more than `limit` rows
    are found in all, ValueError: without a limit, memory is what all of them take, 12 bytes each
    and about twice that for a moment.

    With originals, as `search` takes them, scores are the cosines of these, and all rows are found
    that reach the threshold by them, and no others.
    """
    check_order(order)
    sides = sides_of(queries, database)
    thresholds = thresholds_of(threshold, sides)
    most = NO_LIMIT if limit is None else index(limit)
    asked = Above(sides, selection_of(database, mask, ranges), thresholds, most)
    if originals is None:
        found = reached(asked)
    else:
        x = exact.float_queries(queries)
        found = exact.range_search(x, asked, database, originals)
    from_numpy = are_from_numpy(queries)
    ordered = found if order == "row" else by_score(found)
    return Reached(*[as_made(from_numpy, part) for part in ordered])


def check_order(order: str) -> None:
    """Raise ValueError for what is no order of rows."""
    if order not in ("row", "score"):
        raise ValueError(f"order must be row or score; got {order!r}")


def thresholds_of(threshold: float | RowsLike, sides: Sides) -> Tensor:
    """Return a threshold for each query; ValueError for another number of them."""
    given = threshold
    if not isinstance(given, Tensor):
        given = as_tensor(torch.as_tensor(given, dtype=torch.float64).numpy())
    device, queries = sides.a.data.device, sides.shape[0]
    if given.ndim > 1 or (given.ndim == 1 and len(given) != queries):
        raise ValueError(
            f"threshold must be one number, or one for each of {queries} queries; "
            f"got shape {tuple(given.shape)}"
        )
    return rounded_up(given.double()).to(device).expand(queries).contiguous()


def by_score(found: Reached) -> Reached:
    """Return the same rows, those of each query in descending order of scores."""
    counts = found.offsets.diff()
    query = torch.repeat_interleave(counts)
    order = found.scores.argsort(stable=True, descending=True)
    order = order[query[order].argsort(stable=True)]
    return Reached(found.offsets, found.rows[order], found.scores[order])


def pairs_above(
    database: PackedVectors, threshold: float, *, limit: int | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yield all pairs of rows whose cosine is at least the threshold, some rows at a time.

    Each block has pairs, int64 (n, 2), the lower row first, and their scores, float32 (n,): arrays
    where the rows were made from such, else tensors. Pairs ascend, and so do blocks. Products of
    4096 rows with all later ones are made at once, half of all in the end, and no more is in memory
    than the pairs of those. Where they have more than `limit`, ValueError.
    """
    if limit is not None and index(limit) < 0:
        raise ValueError(f"limit must be 0 or more; got {limit}")
    rows, all_rows = len(database), rows_of(database)
    for first in range(0, rows, _TOGETHER):
        end = min(rows, first + _TOGETHER)
        some, later = all_rows.some(slice(first, end)), all_rows.some(slice(first, None))
        sides = Sides(some, later, database.format.name, database.dim)
        # Those of rows at once come twice, and each with itself.
        most = NO_LIMIT if limit is None else 2 * limit + end - first
        asked = Above(sides, Selection(), thresholds_of(threshold, sides), most)
        found = reached(asked)
        lower = torch.repeat_interleave(found.offsets.diff())
        twice = found.rows > lower
        if limit is not None:
            asked._replace(limit=limit).refuse_above_limit(int(twice.count_nonzero()))
        pairs = torch.stack([lower[twice], found.rows[twice]], 1) + first
        from_numpy = database.from_numpy
        yield as_made(from_numpy, pairs), as_made(from_numpy, found.scores[twice])
