"""The rows nearest to queries, straight from packed rows."""

from __future__ import annotations

from operator import index
from typing import Any, Literal, overload

from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from minifloat.arrays import RowsLike, as_made
from minifloat.ops.products import Best
from minifloat.scoring import exact
from minifloat.scoring.asking import best_of
from minifloat.scoring.exact import Read
from minifloat.scoring.queries import are_from_numpy, sides_of
from minifloat.scoring.selecting import Mask, Ranges, selection_of
from minifloat.vectors import PackedVectors


@overload
def search(
    queries: Tensor,
    database: PackedVectors,
    k: int,
    *,
    mask: Any = None,
    ranges: Any = None,
    originals: Any = None,
    rescore: int | None = None,
    return_stats: Literal[False] = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def search(
    queries: PackedVectors | Tensor,
    database: PackedVectors,
    k: int,
    *,
    mask: Any = None,
    ranges: Any = None,
    originals: Any = None,
    rescore: int | None = None,
    return_stats: Literal[False] = False,
) -> tuple[Any, Any]: ...
@overload
def search(
    queries: ArrayLike,
    database: PackedVectors,
    k: int,
    *,
    mask: Any = None,
    ranges: Any = None,
    originals: Any = None,
    rescore: int | None = None,
    return_stats: Literal[False] = False,
) -> tuple[NDArray[Any], NDArray[Any]]: ...
@overload
def search(
    queries: PackedVectors | RowsLike,
    database: PackedVectors,
    k: int,
    *,
    mask: Any = None,
    ranges: Any = None,
    originals: Any = None,
    rescore: int | None = None,
    return_stats: Literal[True],
) -> tuple[Any, Any, Read]: ...
def search(
    queries: PackedVectors | RowsLike,
    database: PackedVectors,
    k: int,
    *,
    mask: Mask = None,
    ranges: Ranges = None,
    originals: Any = None,
    rescore: int | None = None,
    return_stats: bool = False,
) -> tuple[Any, Any] | tuple[Any, Any, Read]:
    """Return the k largest cosines of each query and their database rows: both (queries, k).

    Scores are float32 and descend. Row numbers are int64. Of equal scores the lower row comes
    first, and NaN comes last.

    queries: packed rows (symmetric), or float rows (asymmetric). Answers are of their kind, as in
    `scores`. Queries on a GPU search a database in main memory too: it is copied there block by
    block, and need not fit. After `database.pin_memory()` a block is copied while the one before is
    searched. Masks and ranges are where the database is, answers where the queries are.

    mask: bool, (rows,). ranges: (n, 2), the first row and the one after the last; ranges ascend and
    do not overlap. Only rows take part for which the mask holds and that lie in a range. Raises
    ValueError where fewer than k rows take part. On a GPU with kernels of its own the count would
    wait for the device: rows that are missing are -1 there, with score NaN.

    originals: the float rows, (rows, dim), float16 to float64, of which the database was made by
    `quantize(..., errors=True)`: a tensor, an array, a mapped one (`np.memmap`), or a slice of a
    safetensors file (`safe_open(path, "pt").get_slice(name)`). Scores are then the cosines of float
    queries and originals, made in float64 and rounded to float32, and the answer is proven: every
    row is read whose codes leave it open whether it is among the best. Raises ValueError for a row
    whose cosine its codes cannot have: the database was made of other rows.

    rescore: read only so many originals for each query, those with the best scores. This proves
    nothing and needs no errors.

    return_stats: a third answer tells what was read: `rows` of each query, `passes` of the codes,
    and `bytes` of originals.
    """
    sides = sides_of(queries, database)
    asked = Best(sides, selection_of(database, mask, ranges), index(k))
    from_numpy = are_from_numpy(queries)
    if originals is None:
        if rescore is not None or return_stats:
            raise ValueError("rescore and return_stats are of a search that reads originals")
        best, rows = best_of(asked)
        return as_made(from_numpy, best), as_made(from_numpy, rows)
    x = exact.float_queries(queries)
    (best, rows), read = exact.search(x, asked, database, originals, rescore)
    found = [as_made(from_numpy, part.to(x.device)) for part in (best, rows)]
    return (*found, read) if return_stats else (found[0], found[1])
