import re
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.ops import answer
from minifloat.ops.products import PairScores
from minifloat.ops.rows import Sides
from minifloat.scoring.queries import rows_of
from tests.support.oracles import U
from tests.support.rows import normal, random_rows
from tests.support.sets import TRIED

pytestmark = pytest.mark.gpu


def test_pairs_are_the_entries_of_the_matrix(format: mf.Format, backend: str) -> None:
    b = random_rows(format, 30, 17, 2)
    generator = torch.Generator().manual_seed(0)
    # Those of C++ are shared out to threads.
    count = 3000 if backend in TRIED else 300
    # Two orders of a sum of 17 products, whose sizes add up to at most 1, and their products.
    tolerance = 2 * (17 + 4) * U if format.lane == "float" else 0

    def check(found: Any, expected: Any) -> None:
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)

    for a in (random_rows(format, 20, 17, 1), normal(20, 17, 1)):
        matrix = mf.scores(a, b)
        i = torch.randint(0, 20, (count,), generator=generator)
        j = torch.randint(0, 30, (count,), generator=generator)
        pairs = torch.stack([i, j], 1)
        check(mf.scores(a, b, pairs=pairs), matrix[i, j])
        check(mf.scores(a, b, pairs=pairs.numpy()), matrix[i, j])
        by_first = pairs[i.argsort()]
        check(mf.scores(a, b, pairs=by_first), matrix[by_first[:, 0], by_first[:, 1]])
        strided = torch.stack([j, i])[[1, 0]].T
        check(mf.scores(a, b, pairs=strided), matrix[i, j])
        assert mf.scores(a, b, pairs=pairs[:0]).shape == (0,)


def test_pairs_that_name_no_rows_are_refused(backend: str) -> None:
    a, b = random_rows(mf.E2M1, 3, 9), random_rows(mf.E2M1, 5, 9)
    for side in (a, normal(3, 9)):
        for pair, message in (
            ([3, 0], "pairs must name rows 0..2 of a; got 3"),
            ([-1, 0], "pairs must name rows 0..2 of a; got -1"),
            ([0, 5], "pairs must name rows 0..4 of b; got 5"),
            ([0, -7], "pairs must name rows 0..4 of b; got -7"),
        ):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                mf.scores(side, b, pairs=torch.tensor([[0, 0], pair, [1, 1]]))


def test_pairs_of_another_kind_are_refused(backend: str) -> None:
    a, b = random_rows(mf.E2M1, 3, 9), random_rows(mf.E2M1, 5, 9)
    for shape in ((2,), (4, 1), (4, 3), (4, 0), (1, 2, 2), ()):
        message = f"pairs must have shape (n, 2); got {shape}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.scores(a, b, pairs=torch.zeros(shape, dtype=torch.int64))
    for dtype in (torch.int32, torch.float32, torch.bool):
        message = f"pairs must be int64; got {str(dtype).removeprefix('torch.')}"
        with pytest.raises(TypeError, match=f"^{message}$"):
            mf.scores(a, b, pairs=torch.full((4, 2), torch.nan).to(dtype))
    with pytest.raises(TypeError, match=r"^expected a torch tensor or a NumPy array; got list$"):
        mf.scores(a, b, pairs=[[0, 0]])


def test_pairs_of_absent_rows_are_refused_by_the_operator_itself(backend: str) -> None:
    rows = mf.quantize(torch.ones(4, 8), "e2m1")
    a = rows_of(rows)
    sides = Sides(a, a.some(slice(3)), "e2m1", 8)
    for pair, message in (([0, 3], "rows 0..2 of b; got 3"), ([-1, 0], "rows 0..3 of a; got -1")):
        pairs = torch.tensor([[0, 0], pair])
        with pytest.raises(ValueError, match=f"^pairs must name {re.escape(message)}$"):
            answer(PairScores(sides, pairs))
