"""What operators refuse by themselves, whoever calls them."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from minifloat import ops
from minifloat.ops import OPERATORS as ALL
from minifloat.ops.products import Above, AllScores, Best, PairScores, Request
from minifloat.ops.rows import Rows, Selection, Sides
from tests.ops.refused_frames import REFUSED_IN_FRAMES
from tests.ops.refused_ranges import REFUSED_IN_RANGES
from tests.support.arguments import OPS

pytestmark = pytest.mark.gpu

BYTES = torch.zeros(3, 5, dtype=torch.uint8)
NORMS = torch.zeros(3)
META = torch.zeros(3, device="meta")

VALUES = torch.ones(3, 5)

REFUSED: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    *REFUSED_IN_FRAMES,
    *REFUSED_IN_RANGES,
    ("decode", (NORMS, "e2m1"), TypeError, "codes must be uint8; got float32"),
    ("pack", (NORMS, "e2m1"), TypeError, "codes must be uint8; got float32"),
    ("unpack", (NORMS, "e2m1", 3), TypeError, "packed must be uint8; got float32"),
    (
        "quantize",
        (BYTES, "e2m1", "amax", "norm", True),
        TypeError,
        "x must be one of float16, bfloat16, float32, float64; got uint8",
    ),
    (
        "quantize",
        (NORMS, "e2m1", "amax", "norm", True),
        ValueError,
        f"x must have shape (rows, dim), dim at least 1; got {tuple(NORMS.shape)}",
    ),
    (
        "quantize",
        (VALUES, "e2m1", "max", "norm", True),
        ValueError,
        "scale must be one of amax, cosine, none; got 'max'",
    ),
    (
        "quantize",
        (VALUES, "e2m1", "amax", "mean", True),
        ValueError,
        "estimator must be one of norm, unbiased; got 'mean'",
    ),
    (
        "to_lane",
        (BYTES, "e2m1"),
        TypeError,
        "x must be one of float16, bfloat16, float32, float64; got uint8",
    ),
    (
        "to_lane",
        (VALUES[:, :0], "e2m1"),
        ValueError,
        "x must have shape (rows, dim), dim at least 1; got (3, 0)",
    ),
    ("reciprocal_norms", (NORMS, "e2m1", 3), TypeError, "packed must be uint8; got float32"),
    (
        "pack",
        (BYTES[0, 0], "e2m1"),
        ValueError,
        "packing needs at least 1 dimension; got a tensor of 0",
    ),
    (
        "encode_pack",
        (NORMS[0], "e2m1", True),
        ValueError,
        "packing needs at least 1 dimension; got a tensor of 0",
    ),
    (
        "unpack",
        (BYTES, "e2m1", 8),
        ValueError,
        "packed must have 4 bytes a row for dim 8 in e2m1; got shape (3, 5)",
    ),
    (
        "unpack",
        (BYTES[0, 0], "e2m1", 2),
        ValueError,
        "packed must have 1 bytes a row for dim 2 in e2m1; got shape ()",
    ),
    (
        "reciprocal_norms",
        (BYTES, "e2m3", 9),
        ValueError,
        "packed must have 7 bytes a row for dim 9 in e2m3; got shape (3, 5)",
    ),
]
for _operator in ("encode", "round", "encode_pack"):
    REFUSED += [
        (
            _operator,
            (BYTES, "e2m1", True),
            TypeError,
            "x must be one of float16, bfloat16, float32, float64; got uint8",
        ),
    ]
GOOD = Rows(BYTES, NORMS)
SIDES = Sides(GOOD, GOOD, "e2m1", 9)
ASKED: dict[str, Callable[[Sides], Request | Above]] = {
    "scores": AllScores,
    "pair_scores": partial(PairScores, pairs=torch.zeros(2, 2, dtype=torch.int64)),
    "search": partial(Best, selection=Selection(), k=2),
    "range_search": partial(Above, selection=Selection(), thresholds=NORMS, limit=9),
}
for _a, _b, _error, _message in (
    (Rows(BYTES.int(), NORMS), GOOD, TypeError, "a must be uint8; got int32"),
    (GOOD, Rows(BYTES.short(), NORMS), TypeError, "b must be uint8; got int16"),
    (
        Rows(BYTES[:, :4], NORMS),
        GOOD,
        ValueError,
        "a must have 5 bytes a row for dim 9 in e2m1; got shape (3, 4)",
    ),
    (
        GOOD,
        Rows(BYTES[:, :4], NORMS),
        ValueError,
        "b must have 5 bytes a row for dim 9 in e2m1; got shape (3, 4)",
    ),
    (Rows(BYTES[0], NORMS), GOOD, ValueError, "a must have 2 dimensions; got 1"),
    (GOOD, Rows(BYTES[None], NORMS), ValueError, "b must have 2 dimensions; got 3"),
    (
        Rows(BYTES.short(), NORMS),
        GOOD,
        ValueError,
        "queries must have shape (rows, 9); got (3, 5)",
    ),
    (
        Rows(BYTES, NORMS[:2]),
        GOOD,
        ValueError,
        "a_norms must be float32 of shape (3,); got float32 of shape (2,)",
    ),
    (
        GOOD,
        Rows(BYTES, NORMS.double()),
        ValueError,
        "b_norms must be float32 of shape (3,); got float64 of shape (3,)",
    ),
    (Rows(BYTES, META), GOOD, ValueError, "a_norms must be on cpu; got meta"),
    (GOOD, Rows(BYTES, META), ValueError, "b_norms must be on cpu; got meta"),
    (Rows(BYTES.to("meta"), NORMS), GOOD, ValueError, "a must be on cpu; got meta"),
    (
        Rows(BYTES, NORMS, NORMS),
        GOOD,
        ValueError,
        "a_coordinates must be float32 of shape (3, axes); got float32 of shape (3,)",
    ),
    (
        GOOD,
        Rows(BYTES, NORMS, torch.zeros(2, 1)),
        ValueError,
        "b_coordinates must be float32 of shape (3, axes); got float32 of shape (2, 1)",
    ),
    (
        Rows(BYTES, NORMS, META[:, None]),
        GOOD,
        ValueError,
        "a_coordinates must be on cpu; got meta",
    ),
    (
        GOOD,
        Rows(BYTES, NORMS, torch.zeros(3, 2)),
        ValueError,
        "both sides must have as many coordinates; got 0 of each row of a and 2 of b",
    ),
):
    _sides = SIDES._replace(a=_a, b=_b)
    REFUSED += [
        (operator, ops.arguments(ask(_sides)), _error, _message) for operator, ask in ASKED.items()
    ]
REFUSED += [
    *(
        (
            "scores_into",
            (*ops.arguments(AllScores(SIDES)), out),
            ValueError,
            f"out must be contiguous float32 of shape (3, 3); got {given}",
        )
        for out, given in (
            (torch.zeros(3, 4), "contiguous float32 of shape (3, 4)"),
            (torch.zeros(3, 3).double(), "contiguous float64 of shape (3, 3)"),
            (torch.zeros(3, 6)[:, ::2], "not contiguous float32 of shape (3, 3)"),
        )
    ),
    *(
        ("pair_scores", ops.arguments(PairScores(SIDES, pairs)), error, message)
        for pairs, error, message in (
            (torch.zeros(2, 2), TypeError, "pairs must be int64; got float32"),
            (torch.zeros(2, 3).long(), ValueError, "pairs must have shape (n, 2); got (2, 3)"),
            (
                torch.zeros(2, 2, dtype=torch.int64, device="meta"),
                ValueError,
                "pairs must be on cpu; got meta",
            ),
        )
    ),
    *(
        (
            "search",
            ops.arguments(Best(SIDES, Selection(), k)),
            ValueError,
            f"k must be in 1..3, the rows of the database; got {k}",
        )
        for k in (0, 4)
    ),
]


def test_operators_refuse_what_does_not_fit(backend: str) -> None:
    assert {operator for operator, *_ in REFUSED} == {operator.name for operator in ALL}
    for operator, sample, error, message in REFUSED:
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            getattr(OPS, operator)(*sample)
