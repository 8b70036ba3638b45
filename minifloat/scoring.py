"""Cosine scores and top-k search, straight from packed rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import index
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.autograd import forward_ad

from minifloat import _C, streaming
from minifloat.arrays import Array, RowsLike, as_made, as_rows, as_tensor
from minifloat.mapping import refuse_changes
from minifloat.ops import answer, answer_into
from minifloat.ops.checks import SOURCES
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection, Sides, element_dtype
from minifloat.scaling import amax, check_finite, scale_rows
from minifloat.vectors import PackedVectors

# Values of queries that are brought into their lane at once.
_CHUNK = 1 << 24


@overload
def scores(
    a: PackedVectors | RowsLike,
    b: PackedVectors,
    *,
    pairs: None = None,
    out: Array,
) -> Array: ...
@overload
def scores(a: Tensor, b: PackedVectors, *, pairs: Any = None, out: None = None) -> Tensor: ...
# What packed rows were made from is not in their type.
@overload
def scores(
    a: PackedVectors | Tensor, b: PackedVectors, *, pairs: Any = None, out: None = None
) -> Any: ...
@overload
def scores(
    a: ArrayLike, b: PackedVectors, *, pairs: Any = None, out: None = None
) -> NDArray[Any]: ...
def scores(
    a: PackedVectors | RowsLike,
    b: PackedVectors,
    *,
    pairs: Tensor | NDArray[Any] | None = None,
    out: Tensor | NDArray[Any] | None = None,
) -> Tensor | NDArray[Any]:
    """Return cosines of the rows of a and b: float32, (len(a), len(b)).

    With pairs, (n, 2) int64, return the n cosines of rows a[pairs[:, 0]] and b[pairs[:, 1]]
    instead, with no matrix in between. a holds packed rows (symmetric: codes against codes) or
    float rows (asymmetric, which takes a's share out of the error). A zero row scores 0, a row
    that holds infinity or NaN scores NaN. The answer is of the kind that a is, or was packed from:
    a tensor for a tensor, else a NumPy array (`PackedVectors.from_numpy`).

    The matrix goes to `out` if that is given, a contiguous float32 tensor or array of its shape: so
    blocks of a large matrix, as scores(a[i:j], b, out=buffer), need no memory of their own. Rows
    against themselves, scores(a, a), take half the products.
    """
    sides = _sides(a, b)
    if out is not None:
        if pairs is not None:
            raise ValueError("out takes the matrix of all scores; got pairs as well")
        answer_into(AllScores(sides), _writable(out))
        return out
    asked = AllScores(sides) if pairs is None else PairScores(sides, as_tensor(pairs))
    found: Tensor | NDArray[Any] = as_made(_from_numpy(a), answer(asked))
    return found


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
    sides = _sides(queries, database)
    if ranges is not None and not isinstance(ranges, (Tensor, np.ndarray)):
        pairs = list(map(_first_and_end, ranges))
        ranges = torch.tensor(pairs, dtype=torch.int64, device=database.device).reshape(-1, 2)
    chosen = Selection(
        None if mask is None else as_tensor(mask),
        None if ranges is None else as_tensor(ranges),
    )
    asked = Best(sides, chosen, index(k))
    if database.device.type == "cpu" and sides.a.data.device != database.device:
        return streaming.search(asked)
    best, indices = answer(asked)
    from_numpy = _from_numpy(queries)
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


def _from_numpy(rows: PackedVectors | RowsLike) -> bool:
    """Return whether rows are, or were packed from, what NumPy reads."""
    return rows.from_numpy if isinstance(rows, PackedVectors) else not isinstance(rows, Tensor)


def _writable(out: Tensor | NDArray[Any]) -> Tensor:
    """Return the tensor that is the array's memory, never a copy of it."""
    if isinstance(out, np.ndarray) and not (
        out.dtype == np.float32 and out.flags.writeable and out.flags.c_contiguous
    ):
        access = "" if out.flags.writeable else " read-only"
        order = "" if out.flags.c_contiguous else " not contiguous"
        raise ValueError(
            f"out must be a writable, C-contiguous float32 array; got{access}{order} {out.dtype}"
        )
    return _without_derivatives("out", as_tensor(out))


def _without_derivatives(name: str, x: Tensor) -> Tensor:
    """Return a tensor; RuntimeError if it has derivatives, which would be 0 from here on."""
    learned = x.requires_grad and torch.is_grad_enabled()
    if learned or forward_ad.unpack_dual(x).tangent is not None:
        raise RuntimeError(
            f"{name} must have no derivatives, for scores and search have none; got a tensor "
            f"{'that requires a gradient' if learned else 'with a tangent'}: pass {name}.detach()"
        )
    return x


def _sides(a: PackedVectors | RowsLike, b: PackedVectors) -> Sides:
    """Return rows as operators take them; TypeError or ValueError for other than b is made for."""
    if not isinstance(b, PackedVectors):
        raise TypeError(f"the database must be PackedVectors; got {type(b).__name__}")
    if isinstance(a, PackedVectors):
        if (a.format, a.dim) != (b.format, b.dim):
            raise ValueError(
                f"both sides must have one format and dim; got dim {a.dim} in {a.format} "
                f"and dim {b.dim} in {b.format}"
            )
        refuse_changes(a.codes, a.reciprocal_norms, b.codes, b.reciprocal_norms)
        queries = Rows(a.codes, a.reciprocal_norms)
        return Sides(queries, Rows(b.codes, b.reciprocal_norms), b.format.name, b.dim)
    a = as_rows("queries", a)
    if a.ndim != 2 or a.shape[1] != b.dim or a.dtype not in SOURCES:
        raise ValueError(
            f"queries must be floating-point rows (rows, {b.dim}); "
            f"got {str(a.dtype).removeprefix('torch.')} of shape {tuple(a.shape)}"
        )
    refuse_changes(b.codes, b.reciprocal_norms)
    queries = _to_lane(_without_derivatives("queries", a), b)
    return Sides(queries, Rows(b.codes, b.reciprocal_norms), b.format.name, b.dim)


def _to_lane(queries: Tensor, database: PackedVectors) -> Rows:
    """Return float queries in the database's lane, with all the precision that it has.

    On the CPU, ValueError for a row that is not finite; on another device it scores NaN.
    """
    queries, dtype = queries.detach(), element_dtype(database.format.name)
    if len(queries) == 0:
        return Rows(queries.to(dtype), queries[:, 0].float())
    # Of many at once, temporaries would leave the cache, and a signal would wait for all.
    step = max(1, _CHUNK // database.dim)
    if len(queries) <= step:
        return _chunk_to_lane(queries, database, 0)
    parts = [
        _chunk_to_lane(queries[first : first + step], database, first)
        for first in range(0, len(queries), step)
    ]
    return Rows(*map(torch.cat, zip(*parts, strict=True)))


def _chunk_to_lane(queries: Tensor, database: PackedVectors, first: int) -> Rows:
    """Return queries from number `first` on in the database's lane."""
    dtype = element_dtype(database.format.name)
    format, dim = database.format, database.dim
    limit = 1.0 if dtype.is_floating_point else float(_C.query_max(format.index, dim))
    largest = amax(queries)
    if queries.device.type == "cpu":
        check_finite("queries", largest, first)
    scaled = scale_rows(queries, largest, limit)
    elements = (scaled if dtype.is_floating_point else scaled.round()).to(dtype)
    norms = elements.double().square().sum(1).sqrt()
    reciprocal = torch.where(norms > 0, 1 / norms, 0.0).float()
    # Elsewhere a look at values would wait for the device.
    return Rows(elements, torch.where(largest.squeeze(1).isfinite(), reciprocal, torch.nan))
