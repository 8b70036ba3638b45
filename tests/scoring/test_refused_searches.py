import re
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support.rows import normal
from tests.support.searches import tied

pytestmark = pytest.mark.gpu


def test_k_outside_the_database_is_refused(backend: str) -> None:
    database = tied(mf.E2M1, 6)
    for k in (0, -1, 7):
        message = f"k must be in 1..6, the rows of the database; got {k}"
        for queries in (database, normal(2, 9), normal(0, 9)):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                mf.search(queries, database, k)


def test_a_database_of_no_rows_is_called_empty(backend: str) -> None:
    database = tied(mf.E2M1, 6)
    message = "the database is empty: it has no rows to find; got k = 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.search(normal(2, 9), database[:0], 1)


def test_k_that_is_no_number_is_refused() -> None:
    database = tied(mf.E2M1, 6)
    for k in (1.5, "1", None):
        with pytest.raises(TypeError, match="object cannot be interpreted as an integer"):
            mf.search(database, database, k)  # type: ignore[call-overload]


# Which rows take part, of 20, in a search for 5.
REFUSED_CHOICES: list[tuple[dict[str, Any], str]] = [
    ({"mask": torch.ones(20)}, "mask must be bool of shape (20,); got float32 of shape (20,)"),
    (
        {"mask": np.ones(20, np.uint8)},
        "mask must be bool of shape (20,); got uint8 of shape (20,)",
    ),
    (
        {"mask": np.ones((20, 1), np.bool_)},
        "mask must be bool of shape (20,); got bool of shape (20, 1)",
    ),
    (
        {"mask": np.ones(19, np.bool_)},
        "mask must be bool of shape (20,); got bool of shape (19,)",
    ),
    (
        {"ranges": torch.zeros(2, 3, dtype=torch.int64)},
        "ranges must be int64 of shape (n, 2); got int64 of shape (2, 3)",
    ),
    (
        {"ranges": np.zeros((1, 2))},
        "ranges must be int64 of shape (n, 2); got float64 of shape (1, 2)",
    ),
    (
        {"ranges": [(3, 9), (8, 12)]},
        "ranges must ascend within 0..20 and not overlap; got 8 after 9",
    ),
    *(
        (
            {"ranges": wrong},
            "ranges must be pairs of integers, the first row and the one after the last; "
            f"got {listed}",
        )
        for wrong, listed in (
            ([range(8)], "range(0, 8)"),
            ([range(2)], "range(0, 2)"),
            ((0, 8), "0"),
            ([0, 8], "0"),
            ([(0, 2), (3, 5, 8)], "(3, 5, 8)"),
            ([(0.5, 8)], "(0.5, 8)"),
            (["08"], "08"),
            ([None], "None"),
        )
    ),
    ({"ranges": [(9, 3)]}, "ranges must ascend within 0..20 and not overlap; got 3 after 9"),
    ({"ranges": [(-1, 3)]}, "ranges must ascend within 0..20 and not overlap; got -1 after 0"),
    ({"ranges": [(5, 21)]}, "ranges must ascend within 0..20 and not overlap; got 20 after 21"),
    ({"ranges": [(5, 9)]}, "k must be in 1..4, the rows that take part; got 5"),
    ({"ranges": []}, "mask and ranges leave none of 20 rows to find; got k = 5"),
    (
        {"mask": torch.arange(20) < 0},
        "mask and ranges leave none of 20 rows to find; got k = 5",
    ),
    (
        {"mask": torch.arange(20) < 3},
        "k must be in 1..3, the rows that take part; got 5",
    ),
]


def test_a_mask_and_ranges_that_cannot_be_are_refused(backend: str) -> None:
    database, queries = tied(mf.E2M1, 20), normal(2, 9)
    for options, message in REFUSED_CHOICES:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.search(queries, database, 5, **options)
