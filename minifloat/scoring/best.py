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

    originals are the float rows that the database was made of, by `quantize(..., errors=True)`: a
    tensor, an array, one that is mapped (`np.memmap`), or a slice of a safetensors file
    (`safe_open(path, "pt").get_slice(name)`), of float16 to float64, (rows, dim). The answer then
    is that of the cosines of float queries and these rows in float64, rounded to float32, and it is
    proven: only rows are read whose codes leave it open whether they are among the best. With
    rescore, so many are read for each query, those with the best scores, which proves nothing and
    needs no errors. A row whose cosine its codes cannot have is a ValueError: the database was made
    of others. With return_stats a third answer tells what was read: `rows` of each query, `passes`
    of the codes and `bytes` of originals.
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
