"""Databases with ties and NaN, and what a search of them must find."""

import numpy as np
import torch

import minifloat as mf
from tests.support.rows import normal

Queries = mf.PackedVectors | torch.Tensor


def tied(format: mf.Format, rows: int, dim: int = 9) -> mf.PackedVectors:
    """Rows of which most are equal to others, in any order, and one is zero."""
    few = normal(8, dim, 5)
    few[3] = 0
    numbers = torch.randint(0, 8, (rows,), generator=torch.Generator().manual_seed(6))
    return mf.quantize(few[numbers], format)


def with_nan(rows: mf.PackedVectors, bad: list[int]) -> mf.PackedVectors:
    """The rows, some of them as if they held a code that is not finite."""
    norms = rows.reciprocal_norms.clone()
    norms[bad] = torch.nan
    return mf.PackedVectors(rows.codes, norms, rows.format, rows.dim)


def assert_is_sorted_scores(queries: Queries, database: mf.PackedVectors, k: int) -> None:
    """Search gives the start of a stable sort of all scores, with NaN last."""
    scores = mf.scores(queries, database).numpy()
    order = np.where(np.isnan(scores), np.inf, -scores).argsort(1, kind="stable")[:, :k]
    best, rows = mf.search(queries, database, k)
    assert (best.dtype, rows.dtype) == (torch.float32, torch.int64)
    np.testing.assert_array_equal(rows.numpy(), order)
    np.testing.assert_array_equal(best.numpy(), np.take_along_axis(scores, order, 1))
