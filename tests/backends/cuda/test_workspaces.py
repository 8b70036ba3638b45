"""The memory that kernels work in: how much they ask for, and of which device."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import addresses
from minifloat.backends.addresses import best_of
from minifloat.ops import arguments
from minifloat.ops.products import Above, AllScores, Best
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.queries import rows_of, sides_of
from tests.backends.cuda.asked import assert_found, needs_emulator, search
from tests.support import emulated
from tests.support.rows import random_rows


@needs_emulator
def test_a_workspace_holds_every_chunk_of_queries(
    format: mf.Format, cuda: Any, multiprocessors: Any
) -> None:
    most = 4096
    # Whole blocks of queries, one fewer and one more, and what lies between.
    last = [n for i in range(16) for n in (256 * i + 1, 256 * i + 97, 256 * i + 255, 256 * i + 256)]
    for count in (2, 16, 80, 108, 132, 144, 160):
        multiprocessors(count)
        for rows, dim, k in ((100_000, 256, 10), (1_000_000, 256, 100), (5000, 200, 1000)):
            shape = {"rows": rows, "dim": dim, "k": k}
            for at_once in last:
                for chunks in (0, 1, 3):
                    queries = most * chunks + at_once
                    for chunk in {min(most, queries), queries % most or most}:
                        whole, part = emulated.search_workspace(
                            format, queries=queries, at_once=chunk, **shape
                        )
                        assert part <= whole, (count, shape, queries, chunk)


@needs_emulator
@pytest.mark.parametrize(
    ("dim", "count", "rows", "few"),
    [pytest.param(9, 42, 5368, 20, marks=pytest.mark.long), (64, 21, 2680, 200)],
)
def test_a_last_chunk_that_takes_more_memory_than_the_first_finds_the_same(
    cuda: Any, multiprocessors: Any, dim: int, count: int, rows: int, few: int
) -> None:
    # The blocks of 4096 queries have a slice each, that of the last few has all multiprocessors.
    multiprocessors(count)
    queries = 4096 + few
    shape = {"rows": rows, "dim": dim, "k": 1}
    first, last = (
        emulated.search_workspace(mf.E2M1, queries=queries, at_once=n, **shape)[1]
        for n in (4096, few)
    )
    assert last > first
    both = random_rows(mf.E2M1, queries + rows, dim)
    assert_found(cuda, search(both[:queries], both[queries:], 1))


@needs_emulator
def test_a_workspace_that_is_too_small_is_refused(cuda: Any) -> None:
    from minifloat import _cuda

    rows = random_rows(mf.E2M1, 70, 64)
    sides = sides_of(rows, rows)
    some, asked = addresses.sides_of(_cuda, sides), best_of(_cuda, Best(sides, Selection(), 5))
    out, indices = torch.empty(70, 70), torch.empty(70, 5, dtype=torch.int64)

    def search(memory: Any) -> None:
        _cuda.best(asked, memory, out.data_ptr(), indices.data_ptr(), 0)

    def scores(memory: Any) -> None:
        _cuda.scores(some, memory, out.data_ptr(), 0)

    def above(memory: Any) -> None:
        hits = _cuda.Hits(indices.data_ptr(), out.data_ptr(), 350, total.data_ptr())
        every = addresses.selection_of(_cuda, Selection())
        _cuda.above(some, every, thresholds.data_ptr(), memory, hits, 0)

    total = torch.empty(1, dtype=torch.int64)
    thresholds = torch.ones(70)
    sizes = _cuda.best_workspace(asked), _cuda.scores_workspace(some), _cuda.above_workspace(some)
    for bytes, run in zip(sizes, (search, scores, above), strict=True):
        workspace = torch.empty(bytes, dtype=torch.uint8)
        run(_cuda.Memory(workspace.data_ptr(), bytes))
        with pytest.raises(ValueError, match="the workspace is too small"):
            run(_cuda.Memory(workspace.data_ptr(), bytes - 1))


class OnGpu(torch.Tensor):
    """A tensor that says it is on a GPU."""

    is_cuda = True


@needs_emulator
def test_a_workspace_is_sized_on_the_device_of_the_rows(
    cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat import _cuda

    current = ["another"]

    class Device:
        def __init__(self, device: torch.device) -> None:
            self.device = device

        def __enter__(self) -> None:
            current.append(str(self.device))

        def __exit__(self, *_: object) -> None:
            current.pop()

    sized = []
    for name in ("best_workspace", "scores_workspace", "above_workspace"):
        right = getattr(_cuda, name)

        def seen(*arguments: Any, right: Any = right) -> int:
            sized.append(current[-1])
            bytes: int = right(*arguments)
            return bytes

        monkeypatch.setattr(_cuda, name, seen)
    monkeypatch.setattr(torch.cuda, "device", Device)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=0))
    rows = random_rows(mf.E2M1, 5, 9)
    there = Rows(*[x.as_subclass(OnGpu) for x in rows_of(rows) if x is not None])
    on_gpu = Sides(there, there, "e2m1", 9)
    with torch._C.DisableTorchFunctionSubclass():
        cuda.search(*arguments(Best(on_gpu, Selection(), 2)))
        cuda.scores(*arguments(AllScores(on_gpu)))
        cuda.range_search(*arguments(Above(on_gpu, Selection(), torch.ones(5), 9)))
    assert sized == ["cpu", "cpu", "cpu"]
