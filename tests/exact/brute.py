"""Answers by the float64 cosines of all rows, and databases to ask for them."""

import math
from typing import Any

import numpy as np
import torch

import minifloat as mf
from tests.support.rows import normal

Answer = tuple[torch.Tensor, torch.Tensor]


def cosines(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """All cosines, float64; 0 of a row that is zero."""
    sides = []
    for side in (queries.double(), rows.double()):
        side = side / side.abs().amax(1, keepdim=True).clamp(min=1e-300)
        sides.append(side / side.norm(dim=1, keepdim=True).clamp(min=1e-300))
    found: torch.Tensor = sides[0] @ sides[1].T
    return found


def best(queries: torch.Tensor, rows: torch.Tensor, k: int, taking_part: Any = None) -> Answer:
    """The k best by cosines that are rounded to float32, ties to the lower row."""
    found = cosines(queries, rows).float()
    if taking_part is not None:
        found[:, ~taking_part] = -math.inf
    order = found.argsort(dim=1, descending=True, stable=True)[:, :k]
    return found.gather(1, order), order


def assert_best(found: Any, queries: torch.Tensor, rows: torch.Tensor, taking_part: Any) -> None:
    """Rows are the best of all; where cosines differ by float64's roundings, any of them."""
    scores, numbers = (torch.as_tensor(part) for part in found[:2])
    wanted, order = best(queries, rows, numbers.shape[1], taking_part)
    assert (scores.dtype, numbers.dtype) == (torch.float32, torch.int64)
    torch.testing.assert_close(scores, wanted, rtol=0, atol=6e-8)
    exact = cosines(queries, rows)
    own, of_order = exact.gather(1, numbers), exact.gather(1, order)
    assert bool(((numbers == order) | ((own - of_order).abs() < 1e-7)).all())
    assert bool((scores.diff(dim=1) <= 0).all())
    ties = scores.diff(dim=1) == 0
    assert bool((numbers.diff(dim=1)[ties] > 0).all())


def clustered(rows: int, dim: int, seed: int = 0) -> torch.Tensor:
    """Rows around few centers, some of them alike to the last bit, and two that are zero."""
    x = normal(8, dim, seed)[torch.arange(rows) % 8] + 0.4 * normal(rows, dim, seed + 1)
    x[rows // 2 : rows // 2 + 9] = x[:9]
    x[rows // 3] = x[rows // 3 + 1] = 0
    return x


def in_a_cone(x: torch.Tensor) -> torch.Tensor:
    """Rows beside a mean that holds 98 % of the squares of their lengths."""
    mean = normal(1, x.shape[1], 7)
    found: torch.Tensor = x + mean / mean.norm() * (49 * x.square().sum(1).mean()).sqrt()
    return found


def kinds(x: torch.Tensor, format: mf.Format) -> list[mf.PackedVectors]:
    """The rows in a format, in every way that bounds tell apart."""
    frame = mf.Frame.fit(x, 2, feedback="force")
    return [
        mf.quantize(x, format, errors=True),
        mf.quantize(x, format, scale="cosine", estimator="unbiased", errors=True),
        mf.quantize(x, format, frame=frame, errors=True),
        mf.quantize(x, format, frame=frame, estimator="norm", errors=True),
        mf.quantize(x, format, frame=frame, rounding="feedback", errors=True),
        mf.quantize(x, format, frame=mf.Frame.fit(x, 0), errors=True),
        mf.quantize(x, format, frame=mf.Frame.fit(x, 1, rotate=False), errors=True),
    ]


def reached(queries: torch.Tensor, rows: torch.Tensor, threshold: float) -> list[np.ndarray]:
    """For each query the rows whose cosines, as float32, reach a threshold."""
    return [row.nonzero().flatten().numpy() for row in cosines(queries, rows).float() >= threshold]
