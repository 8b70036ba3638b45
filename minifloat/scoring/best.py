"""The rows nearest to queries, straight from packed rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import index
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from minifloat.arrays import RowsLike, as_made, as_tensor
from minifloat.ops import answer
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring import streamed
from minifloat.scoring.queries import are_from_numpy, sides_of
from minifloat.vectors import PackedVectors


@overload
def search(
    queries: Tensor, database: PackedVectors, k: int, *, mask: Any = None, ranges: Any = None
) -> tuple[Tensor, Tensor]: ...
@overload
def search(
    queries: PackedVectors | Tensor,
    database: PackedVectors,
    k: int,
    *,
    mask: Any = None,
    ranges: Any = None,
) -> tuple[Any, Any]: ...
@overload
def search(
    queries: ArrayLike, database: PackedVectors, k: int, *, mask: Any = None, ranges: Any = None
) -> tuple[NDArray[Any], NDArray[Any]]: ...
def search(
    queries: PackedVectors | RowsLike,
    database: PackedVectors,
    k: int,
    *,
    mask: Tensor | NDArray[Any] | None = None,
    ranges: Tensor | NDArray[Any] | Sequence[tuple[int, int]] | None = None,
) -> tuple[Tensor, Tensor] | tuple[NDArray[Any], NDArray[Any]]:
    """Return the k largest cosines of each query and their database rows: both (queries, k).

    Scores are float32 and descend; row numbers are int64; equal scores go to the lower row, NaN
    goes last. queries are packed rows (symmetric) or float rows (asymmetric), and both answers are
    of their kind, as in `scores`.

    Of the database, only rows take part for which mask, bool (rows,), holds and that lie in one of
    the ranges, (n, 2): first row, and the one after the last. Ranges ascend and do not overlap.
    Raises ValueError where fewer than k rows take part; on a GPU with kernels of its own, where a
    count would wait for the device, the rows that are missing are -1 with score NaN.

    Queries on a GPU search a database in main memory too, which need not fit onto the GPU: it is
    copied there block by block, while the block before is searched if `database.pin_memory()` made
    it. Masks and ranges are where the database is, answers where the queries are.
    """
    sides = sides_of(queries, database)
    if ranges is not None and not isinstance(ranges, (Tensor, np.ndarray)):
        pairs = list(map(_first_and_end, ranges))
        ranges = torch.tensor(pairs, dtype=torch.int64, device=database.device).reshape(-1, 2)
    chosen = Selection(
        None if mask is None else as_tensor(mask),
        None if ranges is None else as_tensor(ranges),
    )
    asked = Best(sides, chosen, index(k))
    if database.device.type == "cpu" and sides.a.data.device != database.device:
        return streamed.search(asked)
    best, indices = answer(asked)
    from_numpy = are_from_numpy(queries)
    return as_made(from_numpy, best), as_made(from_numpy, indices)


def _first_and_end(listed: Any) -> tuple[int, int]:
    """Return a range of a list as two integers; ValueError if it is anything else."""
    # Those of Python may have two rows, and would pass for a pair.
    if not isinstance(listed, range):
        with suppress(TypeError, ValueError):
            first, end = map(index, listed)
            return first, end
    raise ValueError(
        f"ranges must be pairs of integers, the first row and the one after the last; got {listed}"
    )
