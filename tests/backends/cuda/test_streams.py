"""Searches by few queries, to whose lanes aligned rows stream, in the emulator."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import assert_finds_the_best, needs_emulator, search
from tests.support import emulated
from tests.support.rows import normal, rows_of_bytes

pytestmark = needs_emulator

# Rows of whole vectors in every format: less than a chunk, one, some and a part.
DIMS = [64, 192, 768]


@pytest.fixture(autouse=True)
def one_multiprocessor() -> Iterator[None]:
    """Blocks go through several row blocks, and bounds that the first ones raise count."""
    emulated.set_multiprocessors(1)
    yield
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)


@pytest.fixture(params=[False, True], ids=["late", "at once"])
def order(request: pytest.FixtureRequest) -> Iterator[None]:
    """When copies are made, and in which order lanes take turns."""
    emulated.set_order(backward=request.param, at_once=request.param)
    yield
    emulated.set_order()


def sides(
    format: mf.Format, are_packed: bool, queries: int, rows: int, dim: int, seed: int = 0
) -> Sides:
    """Rows of any bytes, so of all codes, beside queries."""
    bytes = np.random.default_rng(seed).integers(0, 256, (rows, format.row_bytes(dim)), np.uint8)
    if format.lane == "float":
        # Sums of finite values alone are close to those in another order.
        database = mf.quantize(normal(rows, dim, seed), format)
    else:
        database = rows_of_bytes(torch.from_numpy(bytes), format, dim)
    a = normal(queries, dim, 1)
    return sides_of(mf.quantize(a, format) if are_packed else a, database)


@pytest.mark.parametrize("dim", DIMS)
def test_few_queries_find_the_best(
    format: mf.Format, are_packed: bool, dim: int, cuda: Any, order: None
) -> None:
    for queries, rows, k in ((1, 1, 1), (3, 15, 15), (8, 333, 10)):
        asked = sides(format, are_packed, queries, rows, dim)
        address = asked.b.data.data_ptr()
        assert emulated.are_streamed(format, queries=queries, dim=dim, address=address)
        assert_finds_the_best(cuda.search, asked, k)


def test_many_matches_of_many_rows_are_found(
    format: mf.Format, are_packed: bool, cuda: Any
) -> None:
    asked = sides(format, are_packed, 2, 1200, 64)
    for k in (200, 1200):
        assert_finds_the_best(cuda.search, asked, k)


def test_masks_and_ranges_choose_rows(format: mf.Format, are_packed: bool, cuda: Any) -> None:
    asked = sides(format, are_packed, 5, 500, 128)
    mask = torch.arange(500) % 3 > 0
    ranges = torch.tensor([[0, 2], [90, 310], [400, 499]])
    for chosen in (Selection(mask), Selection(None, ranges), Selection(mask, ranges)):
        assert_finds_the_best(cuda.search, asked, 10, chosen)


def test_the_largest_and_smallest_codes_make_exact_sums(
    integer_format: mf.Format, cuda: Any
) -> None:
    rows, dim = 70, 1024
    values = integer_format.max * torch.where(normal(rows, dim) < 0, -1.0, 1.0)
    values[::2] = integer_format.max
    database = mf.quantize(values, integer_format)
    for queries in (database[:3], database[:3].dequantize()):
        assert_finds_the_best(cuda.search, sides_of(queries, database), 20)


def test_rows_that_are_not_whole_vectors_or_begin_elsewhere_are_found_all_the_same(
    format: mf.Format, cuda: Any
) -> None:
    queries = normal(4, 64, 1)
    for dim in (4, 66):
        database = mf.quantize(normal(200, dim, 2), format)
        asked = sides_of(normal(4, dim, 1), database)
        address = asked.b.data.data_ptr()
        assert not emulated.are_streamed(format, queries=4, dim=dim, address=address)
        assert_finds_the_best(cuda.search, asked, 10)
    packed = mf.quantize(normal(200, 64, 2), format).codes
    moved = torch.empty(packed.numel() + 8, dtype=torch.uint8)[8:].view(packed.shape)
    asked = sides_of(queries, rows_of_bytes(moved.copy_(packed), format, 64))
    address = asked.b.data.data_ptr()
    assert not emulated.are_streamed(format, queries=4, dim=64, address=address)
    assert_finds_the_best(cuda.search, asked, 10)


def test_a_stream_gives_what_copies_of_blocks_do(format: mf.Format, cuda: Any) -> None:
    rows = mf.quantize(normal(500, 256, 2), format)
    asked = search(mf.quantize(normal(7, 256, 1), format), rows, 50)
    found = cuda.search(*asked)
    with emulated.ways(streams_rows=False):
        other = cuda.search(*asked)
    if format.lane == "float":
        torch.testing.assert_close(found[0], other[0], rtol=0, atol=1e-6)
    else:
        assert all(torch.equal(x, y) for x, y in zip(found, other, strict=True))
