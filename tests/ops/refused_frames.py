"""What operators of rows in a frame refuse: arguments, and the errors that say why."""

from typing import Any

import torch

from minifloat.turning import random_turn

BYTES = torch.zeros(3, 5, dtype=torch.uint8)
NORMS = torch.zeros(3)
VALUES = torch.ones(3, 5)
FRAME = [torch.eye(5)[:1], *random_turn(5, 0), torch.empty(0, 5)]

REFUSED_IN_FRAMES: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    (
        "project",
        (BYTES, FRAME),
        TypeError,
        "x must be one of float16, bfloat16, float32, float64; got uint8",
    ),
    (
        "project",
        (NORMS, FRAME),
        ValueError,
        "x must have shape (rows, dim), dim at least 1; got (3,)",
    ),
    (
        "project",
        (VALUES, [FRAME[0].double(), *FRAME[1:]]),
        ValueError,
        "axes must be float32 of shape (n, 5); got float64 of shape (1, 5)",
    ),
    (
        "project",
        (VALUES, [FRAME[0], FRAME[1][0], *FRAME[2:]]),
        ValueError,
        "signs must be float32 of shape (n, 5); got float32 of shape (5,)",
    ),
    (
        "project",
        (VALUES, [*FRAME[:2], FRAME[2][:, :4], FRAME[3]]),
        ValueError,
        "order must be int64 of shape (n, 5); got int64 of shape (1, 4)",
    ),
    (
        "project",
        (VALUES, [FRAME[0].to("meta"), *FRAME[1:]]),
        ValueError,
        "axes must be on cpu; got meta",
    ),
    (
        "quantize_in_frame",
        (VALUES, FRAME, "e2m1", "max", "norm", True),
        ValueError,
        "scale must be one of amax, cosine, none; got 'max'",
    ),
    (
        "to_lane_in_frame",
        (NORMS, FRAME, "e2m1"),
        ValueError,
        "x must have shape (rows, dim), dim at least 1; got (3,)",
    ),
    (
        "to_lane_in_frame",
        (VALUES[:, :4], FRAME, "e2m1"),
        ValueError,
        "axes must be float32 of shape (n, 4); got float32 of shape (1, 5)",
    ),
    (
        "project",
        (VALUES, [*FRAME[:2], FRAME[2][:0], FRAME[3]]),
        ValueError,
        "order must have a row between two rounds of signs; got 0 for 2",
    ),
    (
        "quantize_in_frame",
        (VALUES, FRAME[:3], "e2m1", "amax", "norm", True),
        ValueError,
        "frame must have axes, signs, order, shares; got 3 tensors",
    ),
    (
        "quantize_in_frame",
        (VALUES, [*FRAME[:3], torch.zeros(2, 5)], "e2m1", "amax", "norm", True),
        ValueError,
        "shares must have no rows or 5; got 2",
    ),
]
