"""Search of a database in main memory from another device: the blocks, on the CPU."""

import pytest
import torch
from torch import Tensor

import minifloat as mf
from minifloat.ops.products import Above, Best
from minifloat.ops.rows import Selection
from minifloat.scoring import asking, streamed
from minifloat.scoring.queries import sides_of
from tests.support.rows import normal

ROWS, DIM = 50, 13


@pytest.fixture(params=[1, 7, 1000])
def block_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    rows: int = request.param
    monkeypatch.setattr(streamed, "BLOCK_BYTES", rows * mf.E2M1.row_bytes(DIM))
    return rows


def database() -> mf.PackedVectors:
    rows = mf.quantize(normal(ROWS, DIM), "e2m1")
    # Equal rows in different blocks, a zero row, and one that scores NaN.
    rows.codes[40] = rows.codes[3]
    rows.reciprocal_norms[40] = rows.reciprocal_norms[3]
    rows.codes[8] = 0
    rows.reciprocal_norms[8] = 0
    rows.reciprocal_norms[5] = torch.nan
    return rows


@pytest.mark.parametrize("k", [1, 10, 40])
@pytest.mark.parametrize("mask", [None, torch.arange(ROWS) % 9 > 0], ids=["all", "masked"])
@pytest.mark.parametrize(
    "ranges", [None, torch.tensor([[2, 20], [21, 49]])], ids=["everywhere", "in ranges"]
)
def test_blocks_give_the_answer_of_the_whole(
    block_rows: int, k: int, mask: Tensor | None, ranges: Tensor | None
) -> None:
    rows, queries = database(), mf.quantize(normal(4, DIM, seed=1), "e2m1")
    if k == 40 and mask is not None and ranges is not None:
        ranges = torch.tensor([[0, ROWS]])
    expected = mf.search(queries, rows, k, mask=mask, ranges=ranges)
    found = streamed.search(Best(sides_of(queries, rows), Selection(mask, ranges), k))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("mask", [None, torch.arange(ROWS) % 9 > 0], ids=["all", "masked"])
@pytest.mark.parametrize("ranges", [None, torch.tensor([[2, 20], [21, 49]]), torch.empty(0, 2)])
def test_blocks_have_all_rows_that_reach_a_threshold(
    block_rows: int, mask: Tensor | None, ranges: Tensor | None
) -> None:
    rows, queries = database(), mf.quantize(normal(4, DIM, seed=1), "e2m1")
    ranges = None if ranges is None else ranges.long()
    expected = mf.range_search(queries, rows, 0.1, mask=mask, ranges=ranges)
    asked = Above(
        sides_of(queries, rows), Selection(mask, ranges), torch.full((4,), 0.1), len(expected.rows)
    )
    for ours, theirs in zip(streamed.range_search(asked), expected, strict=True):
        assert torch.equal(ours, theirs)
    if len(expected.rows):
        less = len(expected.rows) - 1
        with pytest.raises(
            ValueError, match=f"^more than limit={less} rows reach their thresholds"
        ):
            streamed.range_search(asked._replace(limit=less))


def test_searches_of_blocks_are_proven_as_those_of_all_rows(
    block_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = normal(ROWS, DIM)
    rows = mf.quantize(x, "e2m1", errors=True)
    expected = mf.search(x[:4], rows, 5, originals=x)
    reached = mf.range_search(x[:4], rows, 0.2, originals=x)
    monkeypatch.setattr(asking, "_is_streamed", lambda sides: True)
    for ours, theirs in (
        *zip(mf.search(x[:4], rows, 5, originals=x), expected, strict=True),
        *zip(mf.range_search(x[:4], rows, 0.2, originals=x), reached, strict=True),
    ):
        assert torch.equal(ours, theirs)


def test_blocks_without_a_row_that_takes_part_are_not_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streamed, "BLOCK_BYTES", 10 * mf.E2M1.row_bytes(DIM))
    copied: list[Tensor] = []
    on_device = streamed._on_device

    def counted(blocks: list[streamed.Block], device: torch.device) -> object:
        copied.extend(block[0] for block in blocks)
        return on_device(blocks, device)

    monkeypatch.setattr(streamed, "_on_device", counted)
    rows, queries = database(), mf.quantize(normal(4, DIM, seed=1), "e2m1")
    ranges = torch.tensor([[12, 14], [33, 39]])
    streamed.search(Best(sides_of(queries, rows), Selection(None, ranges), 3))
    assert [block.data_ptr() for block in copied] == [rows.codes[i:].data_ptr() for i in (10, 30)]


def test_wrong_arguments_are_refused_before_anything_is_copied() -> None:
    rows, queries = database(), mf.quantize(normal(4, DIM, seed=1), "e2m1")
    sides, two = sides_of(queries, rows), torch.arange(ROWS) < 2
    with pytest.raises(ValueError, match=r"k must be in 1\.\.50, the rows of the database; got 51"):
        streamed.search(Best(sides, Selection(), 51))
    with pytest.raises(ValueError, match=r"k must be in 1\.\.2, the rows that take part; got 3"):
        streamed.search(Best(sides, Selection(two), 3))
    with pytest.raises(ValueError, match=r"mask must be bool of shape \(50,\); got bool of"):
        streamed.search(Best(sides, Selection(two[:3]), 3))
