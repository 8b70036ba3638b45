"""Rows in a frame, in torch: each of the sums is one of float32 in the order that is specified."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from minifloat.scaling import amax, near_one, root_of, sum_of
from minifloat.turning import Turn, turned

Projected = tuple[Tensor, Tensor, Tensor]

# Values that are projected at once.
_CHUNK = 1 << 24


def project(x: Tensor, frame: Sequence[Tensor], out: Projected) -> None:
    axes, *turn, _ = frame
    step = max(1, _CHUNK // x.shape[1])
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        parts = _projected(x[some], axes, Turn(*turn))
        for whole, part in zip(out, parts, strict=True):
            whole[some] = part


def _projected(x: Tensor, axes: Tensor, turn: Turn) -> Projected:
    largest = amax(x)
    rows = near_one(x, largest)
    along = [sum_of(rows * axis) for axis in axes]
    rest = rows
    for t, axis in zip(along, axes, strict=True):
        rest = rest - t[:, None] * axis
    squares = sum_of(rest * rest)
    whole = squares
    for t in along:
        whole = whole + t * t
    length = root_of(whole)
    parts = torch.stack([root_of(squares), *along], 1)
    parts = torch.where(length[:, None] > 0, parts / length[:, None], 0.0)
    parts = torch.where(largest.isfinite(), parts, torch.nan)
    return turned(rest, turn), parts[:, 1:], parts[:, 0]
