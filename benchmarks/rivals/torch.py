"""What torch can do itself: casts of 8 bits, and searches by matrix products and `topk`.

On a GPU those are products in a type of its matrix units, tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.codec import CodecJob
from benchmarks.data import best_of, exact_search
from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Run
from benchmarks.search import DeviceSearchJob, SearchJob, best_scores, finds, found_rows

# Scores of a tile: each search takes whichever is faster.
_TILE_SCORES = (2**27, 2**30)
# The product of int8 takes no fewer than 17 rows, and that of float8 is faster with them.
_LEAST_QUERIES = 32
# Tiles of as many rows suit every matrix product.
_ROW_STEP = 16
# Rows that are converted at once.
_BLOCK_ROWS = 2**20

Product = Callable[[Tensor, Tensor], Tensor]


def _cast(job: CodecJob) -> Run | None:
    dtype = job.format.torch_dtype
    if job.format.bits != 8 or dtype is None:
        return None

    def typed(t: Tensor) -> Tensor:
        return t.view(dtype) if t.dtype == torch.uint8 else t

    if job.out is None:
        return partial(typed(job.x).to, typed(job.expected).dtype)
    return partial(typed(job.out).copy_, typed(job.x))


def _scores(job: SearchJob) -> Run:
    return partial(torch.matmul, job.near.queries, job.near.rows.T)


def _search(job: SearchJob) -> Run:
    return partial(exact_search, job.near.rows, job.near.queries, job.near.k)


def _bfloat16_search(job: SearchJob) -> Run:
    rows, queries = (x.bfloat16() for x in (job.near.rows, job.near.queries))
    return partial(exact_search, rows, queries, job.near.k)


def _float16(job: DeviceSearchJob) -> Run:
    return _fastest(job, torch.float16, 1.0, lambda queries, tile: queries @ tile.T)


def _float8(job: DeviceSearchJob) -> Run:
    factor = _factor(job, torch.finfo(torch.float8_e4m3fn).max)
    unit = torch.tensor(1 / factor, device=job.device.torch)

    def product(queries: Tensor, tile: Tensor) -> Tensor:
        return torch._scaled_mm(
            queries, tile.T, unit, unit, out_dtype=torch.float16, use_fast_accum=True
        )

    return _fastest(job, torch.float8_e4m3fn, factor, product, least_queries=_LEAST_QUERIES)


def _int8(job: DeviceSearchJob) -> Run:
    # One factor for all rows, so that sums compare as they are.
    factor = _factor(job, torch.iinfo(torch.int8).max)

    def product(queries: Tensor, tile: Tensor) -> Tensor:
        return torch._int_mm(queries, tile.T)

    return _fastest(job, torch.int8, factor, product, least_queries=_LEAST_QUERIES)


def _factor(job: DeviceSearchJob, limit: float) -> float:
    """Return what makes the largest element of rows and queries the limit."""
    tensors = (job.near.rows, job.near.queries)
    return limit / max(float(end.abs()) for x in tensors for end in x.aminmax())


def _fastest(
    job: DeviceSearchJob,
    dtype: torch.dtype,
    factor: float,
    product: Product,
    *,
    least_queries: int = 1,
) -> Run:
    """Return the search with whichever tiles are faster, by so many queries at least."""
    count = len(job.near.queries)
    rows, queries = (_converted(x, dtype, factor) for x in (job.near.rows, job.near.queries))
    if count < least_queries:
        padding = queries.new_zeros((least_queries - count, queries.shape[1]))
        queries = torch.cat([queries.view(torch.uint8), padding.view(torch.uint8)]).view(dtype)
    steps = {max(1, scores // len(queries) // _ROW_STEP) * _ROW_STEP for scores in _TILE_SCORES}
    tiles = {min(step, len(rows)) for step in steps}

    def search(tile_rows: int) -> tuple[Tensor, Tensor]:
        scores = (product(queries, tile)[:count] for tile in rows.split(tile_rows))
        return best_of(scores, job.near.k)

    runs = [partial(search, tile_rows) for tile_rows in sorted(tiles)]
    if len(runs) == 1:
        return runs[0]
    for run in runs:
        run()
    return min(runs, key=lambda run: job.device.clock(run)())


def _converted(x: Tensor, dtype: torch.dtype, factor: float) -> Tensor:
    out = torch.empty_like(x, dtype=dtype)
    for into, part in zip(out.split(_BLOCK_ROWS), x.split(_BLOCK_ROWS), strict=True):
        scaled = part * factor
        into.copy_(scaled if dtype.is_floating_point else scaled.round_())
    return out


RIVALS = (
    Rival("torch", ("encode", "decode"), _cast, CodecJob.check),
    Rival("torch", ("scores",), _scores, finds(best_scores)),
    Rival("torch", ("search",), _search, finds(found_rows)),
    Rival("torch bfloat16", ("search",), _bfloat16_search, finds(found_rows)),
    Rival("torch", ("encode_pack", "decode"), _cast, CodecJob.check, device="cuda"),
    Rival("torch float16", ("search",), _float16, finds(found_rows), device="cuda"),
    Rival("torch float8_e4m3fn", ("search",), _float8, finds(found_rows), device="cuda"),
    Rival("torch int8", ("search",), _int8, finds(found_rows), device="cuda"),
)
