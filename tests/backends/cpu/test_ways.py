"""All ways to multiply give one answer, and tiles are left to others as they were."""

import pytest
import torch

import minifloat as mf
from minifloat import _C
from tests.support.rows import normal
from tests.support.sets import TRIED


@pytest.fixture(autouse=True)
def set_in_use() -> object:
    before = _C.isa()
    yield
    _C.set_isa(before)


def scores_by(
    isa: str, queries: torch.Tensor | mf.PackedVectors, rows: mf.PackedVectors
) -> torch.Tensor:
    _C.set_isa(isa)
    return mf.scores(queries, rows)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 17, 33, 64, 100])
def test_every_number_of_queries_scores_alike(integer_format: mf.Format, count: int) -> None:
    for dim in (1, 64, 65, 129, 300):
        rows = mf.quantize(normal(70, dim), integer_format)
        floats = normal(count, dim)
        for queries in (floats, mf.quantize(floats, integer_format)):
            expected = scores_by("scalar", queries, rows)
            for isa in TRIED:
                assert torch.equal(scores_by(isa, queries, rows), expected), (isa, dim)


@pytest.mark.parametrize("count", [1, 4, 20])
def test_rows_longer_than_sums_are_exact_score_alike(integer_format: mf.Format, count: int) -> None:
    # Sums of so many products need not fit an int32.
    dim = {"int8": 140_001, "int16": 11_001}[integer_format.lane]
    rows = mf.quantize(normal(5, dim).sign() * 6, integer_format, scale="none")
    for queries in (rows[[i % 5 for i in range(count)]], normal(count, dim)):
        expected = scores_by("scalar", queries, rows)
        for isa in TRIED:
            assert torch.equal(scores_by(isa, queries, rows), expected), isa


def test_products_in_registers_are_as_many_as_asked_for(format: mf.Format, isa: str) -> None:
    assert _C.multiply(format.index, 100_000, 1) >= 100_000


@pytest.mark.skipif("amx" not in TRIED, reason="needs a processor with AMX")
def test_torch_and_searches_use_tiles_in_turn() -> None:
    square = normal(256, 256).bfloat16()
    rows = mf.quantize(normal(500, 192), "e2m1")
    product, scores = square @ square, mf.scores(rows, rows)
    for _ in range(3):
        assert torch.equal(mf.scores(rows, rows), scores)
        assert torch.equal(square @ square, product)
