"""Float queries that are multiplied in half the time, where their own error is measured anyway."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat import _C
from minifloat.formats import Format
from minifloat.ops.rows import Rows
from minifloat.scaling import amax, scale_rows

# Steps to the largest element, below which a query is turned about as far as rows of few bits are.
_LEAST_STEPS = 32


def in_one_plane(rest: Tensor, lengths: Tensor, lane: Rows, format: Format) -> Rows:
    """Return queries in a format's lane, as coarse as fits into one plane of the CPU's kernels.

    rest: their rows, or what is left of them in a frame, of these lengths, float64. As they were,
    in the lane and with all its precision, where they fit as they are or would be too coarse.
    """
    steps = _C.one_plane(format.index) if lane.data.is_cpu else 0
    if format.lane == "float" and steps:
        elements = scale_rows(rest, amax(rest), 1.0).bfloat16().float()
    elif steps >= _LEAST_STEPS:
        elements = scale_rows(rest, amax(rest), float(steps)).round().to(torch.int16)
    else:
        return lane
    norms = elements.double().norm(dim=1)
    reciprocal = torch.where(norms > 0, lengths / norms, 0.0).float()
    return Rows(elements, reciprocal, lane.coordinates)
