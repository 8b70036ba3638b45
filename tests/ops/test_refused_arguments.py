"""What operators refuse by themselves, whoever calls them."""

import re
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.ops import OPERATORS as ALL
from minifloat.ops import answer
from minifloat.ops.products import PairScores
from minifloat.ops.rows import Sides
from minifloat.scoring.queries import rows_of
from tests.support.arguments import OPS

pytestmark = pytest.mark.gpu

BYTES = torch.zeros(3, 5, dtype=torch.uint8)
NORMS = torch.zeros(3)
SIDE = (BYTES, NORMS)
META = torch.zeros(3, device="meta")

REFUSED: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("decode", (NORMS, "e2m1"), TypeError, "codes must be uint8; got float32"),
    ("pack", (NORMS, "e2m1"), TypeError, "codes must be uint8; got float32"),
    ("unpack", (NORMS, "e2m1", 3), TypeError, "packed must be uint8; got float32"),
    (
        "quantize",
        (BYTES, "e2m1", True, True),
        TypeError,
        "x must be one of float16, bfloat16, float32, float64; got uint8",
    ),
    (
        "quantize",
        (NORMS, "e2m1", True, True),
        ValueError,
        f"x must have shape (rows, dim), dim at least 1; got {tuple(NORMS.shape)}",
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
for _operator, _rest in (
    ("scores", ()),
    ("pair_scores", (torch.zeros(2, 2, dtype=torch.int64),)),
    ("search", (None, None, 2)),
):
    _tail = ("e2m1", 9, *_rest)
    REFUSED += [
        (_operator, (BYTES.int(), NORMS, *SIDE, *_tail), TypeError, "a must be uint8; got int32"),
        (_operator, (*SIDE, BYTES.short(), NORMS, *_tail), TypeError, "b must be uint8; got int16"),
        (
            _operator,
            (BYTES[:, :4], NORMS, *SIDE, *_tail),
            ValueError,
            "a must have 5 bytes a row for dim 9 in e2m1; got shape (3, 4)",
        ),
        (
            _operator,
            (*SIDE, BYTES[:, :4], NORMS, *_tail),
            ValueError,
            "b must have 5 bytes a row for dim 9 in e2m1; got shape (3, 4)",
        ),
        (
            _operator,
            (BYTES[0], NORMS, *SIDE, *_tail),
            ValueError,
            "a must have 2 dimensions; got 1",
        ),
        (
            _operator,
            (*SIDE, BYTES[None], NORMS, *_tail),
            ValueError,
            "b must have 2 dimensions; got 3",
        ),
        (
            _operator,
            (BYTES.short(), NORMS, *SIDE, *_tail),
            ValueError,
            "queries must have shape (rows, 9); got (3, 5)",
        ),
        (
            _operator,
            (BYTES, NORMS[:2], *SIDE, *_tail),
            ValueError,
            "a_norms must be float32 of shape (3,); got float32 of shape (2,)",
        ),
        (
            _operator,
            (*SIDE, BYTES, NORMS.double(), *_tail),
            ValueError,
            "b_norms must be float32 of shape (3,); got float64 of shape (3,)",
        ),
        (_operator, (BYTES, META, *SIDE, *_tail), ValueError, "a_norms must be on cpu; got meta"),
        (_operator, (*SIDE, BYTES, META, *_tail), ValueError, "b_norms must be on cpu; got meta"),
        (
            _operator,
            (BYTES.to("meta"), NORMS, *SIDE, *_tail),
            ValueError,
            "a must be on cpu; got meta",
        ),
    ]
_sides = (*SIDE, *SIDE)
REFUSED += [
    *(
        (
            "scores_into",
            (*_sides, "e2m1", 9, out),
            ValueError,
            f"out must be contiguous float32 of shape (3, 3); got {given}",
        )
        for out, given in (
            (torch.zeros(3, 4), "contiguous float32 of shape (3, 4)"),
            (torch.zeros(3, 3).double(), "contiguous float64 of shape (3, 3)"),
            (torch.zeros(3, 6)[:, ::2], "not contiguous float32 of shape (3, 3)"),
        )
    ),
    (
        "pair_scores",
        (*_sides, "e2m1", 9, torch.zeros(2, 2)),
        TypeError,
        "pairs must be int64; got float32",
    ),
    (
        "pair_scores",
        (*_sides, "e2m1", 9, torch.zeros(2, 3).long()),
        ValueError,
        "pairs must have shape (n, 2); got (2, 3)",
    ),
    (
        "pair_scores",
        (*_sides, "e2m1", 9, torch.zeros(2, 2, dtype=torch.int64, device="meta")),
        ValueError,
        "pairs must be on cpu; got meta",
    ),
    (
        "search",
        (*_sides, "e2m1", 9, None, None, 0),
        ValueError,
        "k must be in 1..3, the rows of the database; got 0",
    ),
    (
        "search",
        (*_sides, "e2m1", 9, None, None, 4),
        ValueError,
        "k must be in 1..3, the rows of the database; got 4",
    ),
]


def test_operators_refuse_what_does_not_fit(backend: str) -> None:
    assert {operator for operator, *_ in REFUSED} == {operator.name for operator in ALL}
    for operator, sample, error, message in REFUSED:
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            getattr(OPS, operator)(*sample)


def test_pairs_of_absent_rows_are_refused_by_the_operator_itself(backend: str) -> None:
    rows = mf.quantize(torch.ones(4, 8), "e2m1")
    a = rows_of(rows)
    sides = Sides(a, a.some(slice(3)), "e2m1", 8)
    for pair, message in (([0, 3], "rows 0..2 of b; got 3"), ([-1, 0], "rows 0..3 of a; got -1")):
        pairs = torch.tensor([[0, 0], pair])
        with pytest.raises(ValueError, match=f"^pairs must name {re.escape(message)}$"):
            answer(PairScores(sides, pairs))
