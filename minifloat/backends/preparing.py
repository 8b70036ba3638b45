"""Float queries in the lane of a format, in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from minifloat import _C
from minifloat.backends.projecting import Projected, project
from minifloat.formats import as_format
from minifloat.scaling import amax, check_finite, scale_rows

# Values that are brought into a lane at once.
_CHUNK = 1 << 24

InLane = tuple[Tensor, Tensor]


def to_lane(x: Tensor, format: str, out: InLane) -> None:
    for some in chunks(x):
        _chunk_to_lane(x[some], format, some.start, (out[0][some], out[1][some]))


def in_frame(
    project: Callable[[Tensor, Sequence[Tensor], Projected], None],
    to_lane: Callable[[Tensor, str, InLane], None],
) -> Callable[[Tensor, Sequence[Tensor], str, Projected], None]:
    """Return the function that fills tensors with queries in a frame."""

    def to_lane_in_frame(x: Tensor, frame: Sequence[Tensor], format: str, out: Projected) -> None:
        elements, norms, coordinates = out
        for some in chunks(x):
            rest = torch.empty(x[some].shape, dtype=torch.float32, device=x.device)
            lengths = torch.empty_like(norms[some])
            project(x[some], frame, (rest, coordinates[some], lengths))
            if x.is_cpu:
                check_finite("queries", lengths, some.start)
            to_lane(rest, format, (elements[some], norms[some]))
            norms[some] *= lengths

    return to_lane_in_frame


to_lane_in_frame = in_frame(project, to_lane)


def chunks(x: Tensor) -> list[slice]:
    """Return which rows go together: temporaries of all would take much memory."""
    step = max(1, _CHUNK // x.shape[1])
    return [slice(first, first + step) for first in range(0, len(x), step)]


def _chunk_to_lane(x: Tensor, format: str, first: int, out: InLane) -> None:
    """Fill tensors with queries from number `first` on."""
    (elements, norms), f = out, as_format(format)
    in_floats = elements.is_floating_point()
    limit = 1.0 if in_floats else float(_C.query_max(f.index, x.shape[1]))
    largest = amax(x)
    if x.is_cpu:
        check_finite("queries", largest, first)
    scaled = scale_rows(x, largest, limit)
    elements.copy_(scaled if in_floats else scaled.round())
    lengths = elements.double().square().sum(1).sqrt()
    reciprocal = torch.where(lengths > 0, 1 / lengths, 0.0)
    # Elsewhere a look at values would wait for the device.
    norms.copy_(torch.where(largest.squeeze(1).isfinite(), reciprocal, torch.nan))
