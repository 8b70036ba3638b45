"""What proven searches refuse: other originals, and what cannot be proven."""

import re
from typing import Any

import pytest
import torch

import minifloat as mf
from tests.exact.brute import clustered, kinds
from tests.support.rows import normal


def test_originals_that_the_rows_were_not_made_of_are_found_out() -> None:
    x = clustered(520, 24)
    for rows in kinds(x, mf.E2M3)[::2]:
        moved = x.roll(1, 0)
        with pytest.raises(
            ValueError,
            match=r"^originals are not the rows that the database was made of: row \d+ has cosine ",
        ):
            mf.search(normal(5, 24, 5), rows, 5, originals=moved)


def test_an_original_that_is_not_finite_is_named() -> None:
    x = clustered(300, 24)
    rows = mf.quantize(x, "e2m3", errors=True)
    row = int(mf.search(x[7:8], rows, 3, originals=x)[1][0, 2])
    for bad in (float("nan"), float("inf")):
        broken = x.clone()
        broken[row, 5] = bad
        message = f"^row {row} of originals holds NaN or infinity; all values must be finite$"
        for given in (broken, broken.T.contiguous().T):
            with pytest.raises(ValueError, match=message):
                mf.search(x[7:8], rows, 3, originals=given)


def asked(x: torch.Tensor, **changed: Any) -> Any:
    rows = changed.pop("rows", None)
    if rows is None:
        rows = mf.quantize(x, "e2m1", errors=True)
    queries = changed.pop("queries", x[:2])
    return mf.search(queries, rows, changed.pop("k", 3), **({"originals": x} | changed))


def test_what_cannot_be_proven_is_refused() -> None:
    x = normal(30, 9)
    cases: list[tuple[dict[str, Any], str]] = [
        (
            {"rows": mf.quantize(x, "e2m1")},
            "the database keeps no errors, by which answers are proven: make it by quantize(..., "
            "errors=True), or have a fixed number of originals read, by rescore, which proves "
            "nothing",
        ),
        (
            {"queries": mf.quantize(x, "e2m1", errors=True)},
            "originals are compared with float queries; got packed ones, whose originals are not "
            "known",
        ),
        (
            {"originals": x[:29]},
            "originals must have shape (30, 9), as the database that was made of them; got (29, 9)",
        ),
        ({"rescore": 2}, "rescore must be at least k = 3; got 2"),
        ({"k": 31}, "k must be in 1..30, the rows of the database; got 31"),
        (
            {"mask": torch.arange(30) < 2},
            "k must be in 1..2, the rows that take part; got 3",
        ),
        (
            {"originals": None, "rescore": 5},
            "rescore and return_stats are of a search that reads originals",
        ),
        (
            {"originals": None, "return_stats": True},
            "rescore and return_stats are of a search that reads originals",
        ),
    ]
    for changed, message in cases:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            asked(x, **changed)
    beyond = mf.quantize(x * 1e6, "e5m2", scale="none", saturate=False, errors=True)
    message = r"^row 0 of the database has codes that are not finite, which have no scores to prove"
    with pytest.raises(ValueError, match=message):
        asked(x * 1e6, rows=beyond)
    with pytest.raises(TypeError, match=r"^originals must be one of float16, .*; got int64$"):
        asked(x, originals=torch.zeros(30, 9, dtype=torch.int64))
