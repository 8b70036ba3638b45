"""What searches by thresholds refuse, and angles of rounding."""

from typing import Any

import torch

from minifloat import ops
from minifloat.ops.products import Above
from minifloat.ops.rows import Rows, Selection, Sides

BYTES = torch.zeros(3, 5, dtype=torch.uint8)
NORMS = torch.zeros(3)
META = torch.zeros(3, device="meta")
VALUES = torch.ones(3, 5)
SIDES = Sides(Rows(BYTES, NORMS), Rows(BYTES, NORMS), "e2m1", 9)

REFUSED_IN_RANGES: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    *(
        (
            "range_search",
            ops.arguments(Above(SIDES, Selection(), thresholds, limit)),
            ValueError,
            message,
        )
        for thresholds, limit, message in (
            (
                NORMS[:2],
                9,
                "thresholds must be float32 of shape (3,), one a query; got float32 of shape (2,)",
            ),
            (
                NORMS.double(),
                9,
                "thresholds must be float32 of shape (3,), one a query; got float64 of shape (3,)",
            ),
            (META, 9, "thresholds must be on cpu; got meta"),
            (NORMS, -1, "limit must be 0 or more; got -1"),
        )
    ),
    *(
        ("angles", arguments, error, message)
        for arguments, error, message in (
            (
                (NORMS, BYTES, "e2m1"),
                ValueError,
                "x must have shape (rows, dim), dim at least 1; got (3,)",
            ),
            (
                (BYTES, BYTES, "e2m1"),
                TypeError,
                "x must be one of float16, bfloat16, float32, float64; got uint8",
            ),
            (
                (VALUES, BYTES, "e2m1"),
                ValueError,
                "packed must have 3 bytes a row for dim 5 in e2m1; got shape (3, 5)",
            ),
            (
                (VALUES, BYTES[:2, :3], "e2m1"),
                ValueError,
                "packed must have 3 rows, as x; got shape (2, 3)",
            ),
        )
    ),
]
