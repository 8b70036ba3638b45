"""The CUDA kernels, as host code in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.backends.addresses import best_of
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import assert_found, needs_emulator, scores, search
from tests.support import emulated
from tests.support.rows import random_rows


@pytest.fixture
def any_order() -> Iterator[list[dict[str, bool]]]:
    yield [{"backward": b, "at_once": c} for b in (False, True) for c in (False, True)]
    emulated.set_order()


@pytest.mark.long
@needs_emulator
@pytest.mark.parametrize("queries", [3, 70])
def test_no_order_of_threads_and_copies_changes_an_answer(
    format: mf.Format, queries: int, cuda: Any, any_order: list[dict[str, bool]]
) -> None:
    for dim in (9, 257, 384):
        rows = random_rows(format, queries, dim, 1), random_rows(format, 700, dim, 2)
        found = []
        for order in any_order:
            emulated.set_order(**order)
            answers = [cuda.search(*search(*rows, k)) for k in (5, 300)]
            found.append([cuda.scores(*scores(*rows)), *answers[0], *answers[1]])
        for other in found[1:]:
            assert all(torch.equal(x, y) for x, y in zip(found[0], other, strict=True))


@needs_emulator
def test_more_rows_than_are_found_at_once_are_found_in_rounds(
    integer_format: mf.Format, cuda: Any
) -> None:
    rows = random_rows(integer_format, 2500, 9)
    assert_found(cuda, search(rows[:3], rows, 2400))


@needs_emulator
def test_a_database_of_more_rows_than_one_search_takes_is_searched_in_parts(
    integer_format: mf.Format, cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import cuda as backend

    rows = random_rows(integer_format, 500, 9)
    rows.reciprocal_norms[[3, 150, 480]] = torch.nan
    mask = torch.arange(500) % 3 > 0
    ranges = torch.tensor([[1, 2], [90, 310], [400, 500]])
    monkeypatch.setattr(backend, "_MOST_ROWS", 100)
    for chosen in ((None, None), (mask, None), (None, ranges), (mask, ranges)):
        k = int((~rows.reciprocal_norms.isnan()).sum()) // 4
        assert_found(cuda, search(rows[:3], rows, k, *chosen))
    asked = search(rows[:2], rows, 500)
    assert torch.equal(cuda.search(*asked)[1], implementation("eager", "search")(*asked)[1])


@needs_emulator
def test_rows_that_a_search_cannot_find_are_marked(format: mf.Format, cuda: Any) -> None:
    from minifloat import _cuda

    rows = random_rows(format, 100, 9)
    sides = sides_of(rows[:2], rows)
    for ranges in ([[7, 9]], []):
        chosen = torch.tensor(ranges, dtype=torch.int64).reshape(-1, 2)
        scores, found = torch.zeros(2, 5), torch.zeros(2, 5, dtype=torch.int64)
        asked = best_of(_cuda, Best(sides, Selection(None, chosen), 5))
        workspace = torch.empty(_cuda.best_workspace(asked), dtype=torch.uint8)
        memory = _cuda.Memory(workspace.data_ptr(), workspace.nbytes)
        _cuda.best(asked, memory, scores.data_ptr(), found.data_ptr(), 0)
        count = 2 * len(ranges)
        assert found[:, :count].sort().values.tolist() == [[7, 8][:count]] * 2
        assert found[:, count:].tolist() == [[-1] * (5 - count)] * 2
        assert scores.isnan().tolist() == [[False] * count + [True] * (5 - count)] * 2


@needs_emulator
def test_memory_that_starts_anywhere_is_taken(format: mf.Format, cuda: Any) -> None:
    for dim in (64, 192, 200):
        rows = random_rows(format, 100, dim)
        for first in (1, 3, 8):
            bytes = torch.cat([torch.zeros(first, dtype=torch.uint8), rows.codes.flatten()])
            moved = bytes[first:].view(rows.codes.shape)
            expected = mf.decode(mf.unpack(rows.codes, format, dim), format)
            codes = cuda.unpack(moved, format.name, dim)
            assert torch.equal(cuda.decode(codes, format.name), expected)
            values = torch.cat([torch.zeros(first), expected.flatten()])[first:]
            assert torch.equal(cuda.encode_pack(values, format.name, True), moved.flatten())
            assert torch.equal(cuda.encode(values, format.name, True), codes.flatten())
            other = mf.PackedVectors(moved, rows.reciprocal_norms, format, dim)
            found = cuda.scores(*scores(rows[:9], other))
            assert torch.equal(found, cuda.scores(*scores(rows[:9], rows)))
