"""Other ways to search on a GPU, each checked to find the nearest rows before it is timed.

Those of torch are a matrix product in a type of its matrix units and `topk`, tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from benchmarks.cases import Rival, Run
from benchmarks.gpu.best import best_of
from benchmarks.gpu.cases import NotHereError
from benchmarks.gpu.search import SearchJob

# Scores of a tile: each rival takes whichever is faster.
_TILE_SCORES = (2**27, 2**30)
# torch's product of int8 takes no fewer than 17 rows, and that of float8 is faster with them.
_LEAST_QUERIES = 32
# Tiles of as many rows suit every matrix product.
_ROW_STEP = 16
# Rows that are converted at once.
_BLOCK_ROWS = 2**20

Product = Callable[[Tensor, Tensor], Tensor]


def _float16(job: SearchJob) -> Run:
    return _fastest(job, torch.float16, 1.0, lambda queries, tile: queries @ tile.T)


def _float8(job: SearchJob) -> Run:
    factor = _factor(job, torch.finfo(torch.float8_e4m3fn).max)
    unit = torch.tensor(1 / factor, device=job.device.torch)

    def product(queries: Tensor, tile: Tensor) -> Tensor:
        return torch._scaled_mm(
            queries, tile.T, unit, unit, out_dtype=torch.float16, use_fast_accum=True
        )

    return _fastest(job, torch.float8_e4m3fn, factor, product, least_queries=_LEAST_QUERIES)


def _int8(job: SearchJob) -> Run:
    # One factor for all rows, so that sums compare as they are.
    factor = _factor(job, torch.iinfo(torch.int8).max)

    def product(queries: Tensor, tile: Tensor) -> Tensor:
        return torch._int_mm(queries, tile.T)

    return _fastest(job, torch.int8, factor, product, least_queries=_LEAST_QUERIES)


def _flashlib(job: SearchJob) -> Run:
    """Return its fused exact search, by distances, which rows of length 1 order as cosines."""
    if find_spec("flashlib") is None:
        raise NotHereError("flashlib is not installed; pip install flashlib")
    flash_knn = import_module("flashlib").flash_knn
    rows, queries = job.database.rows.half(), job.queries.half()
    run = partial(flash_knn, queries, rows, job.case.k, return_distances=False)
    return lambda: (None, run())


def _factor(job: SearchJob, limit: float) -> float:
    """Return what makes the largest element of rows and queries the limit."""
    tensors = (job.database.rows, job.queries)
    return limit / max(float(end.abs()) for x in tensors for end in x.aminmax())


def _fastest(
    job: SearchJob, dtype: torch.dtype, factor: float, product: Product, *, least_queries: int = 1
) -> Run:
    """Return the search with whichever tiles are faster, by so many queries at least."""
    count = job.case.queries
    rows, queries = (_converted(x, dtype, factor) for x in (job.database.rows, job.queries))
    if count < least_queries:
        padding = queries.new_zeros((least_queries - count, job.case.dim))
        queries = torch.cat([queries.view(torch.uint8), padding.view(torch.uint8)]).view(dtype)
    steps = {max(1, scores // len(queries) // _ROW_STEP) * _ROW_STEP for scores in _TILE_SCORES}
    tiles = {min(step, len(rows)) for step in steps}

    def search(tile_rows: int) -> tuple[Tensor, Tensor]:
        scores = (product(queries, tile)[:count] for tile in rows.split(tile_rows))
        return best_of(scores, job.case.k)

    runs = [partial(search, tile_rows) for tile_rows in sorted(tiles)]
    if len(runs) == 1:
        return runs[0]
    for run in runs:
        run()
    return min(runs, key=job.device.seconds)


def _converted(x: Tensor, dtype: torch.dtype, factor: float) -> Tensor:
    out = torch.empty_like(x, dtype=dtype)
    for into, part in zip(out.split(_BLOCK_ROWS), x.split(_BLOCK_ROWS), strict=True):
        scaled = part * factor
        into.copy_(scaled if dtype.is_floating_point else scaled.round_())
    return out


def _rival(name: str, start: Callable[[SearchJob], Run | None]) -> Rival[Any]:
    return Rival(name, ("search",), start, SearchJob.check)


SEARCH_RIVALS = (
    _rival("torch float16", _float16),
    _rival("torch float8_e4m3fn", _float8),
    _rival("torch int8", _int8),
    _rival("flashlib float16", _flashlib),
)
