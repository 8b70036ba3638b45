"""The Triton kernels for GPUs: compiled ahead of time, which needs none."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.queries import rows_of
from tests.support.rows import DIM, normal, of_any_size

pytest.importorskip("triton", "3.6")

TARGETS = "tests.proofs.triton_targets"

# Blocks that a grid may have along any axis but the first.
MOST_BLOCKS = 65535


@pytest.mark.parametrize("counts", [(MOST_BLOCKS + 9, 3), (3, MOST_BLOCKS + 9)], ids=str)
def test_any_number_of_queries_and_rows_is_along_a_grids_first_axis(
    counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends.triton import coding, scoring
    from minifloat.backends.triton.plan import Plan
    from minifloat.backends.triton.products import scores_kernel
    from minifloat.backends.triton.search import search_kernel

    grids: dict[Any, tuple[int, ...]] = {}

    def launch(kernel: Any, *grid: int) -> Callable[..., None]:
        grids[kernel] = grid
        return lambda *arguments, **constants: None

    way = Plan.way
    monkeypatch.setattr(Plan, "way", lambda *given: replace(way(*given), queries=1, rows=1))
    monkeypatch.setattr(coding, "launch", launch)
    monkeypatch.setattr(scoring, "launch", launch)
    monkeypatch.setattr(scoring, "multiprocessors", lambda device: 160)
    a, b = (Rows(torch.zeros(n, 1, dtype=torch.uint8), torch.zeros(n)) for n in counts)
    sides = Sides(a, b, "e2m1", 2)
    for name, asked in (("scores", AllScores(sides)), ("search", Best(sides, Selection(), 1))):
        implementation("triton", name)(*arguments(asked))
    scores, search = grids[scores_kernel], grids[search_kernel]
    assert scores == (counts[0] * counts[1],)
    assert search[0] == counts[0]
    assert search[1:] <= (MOST_BLOCKS,)


@pytest.mark.long
def test_kernels_compile_for_matrix_units_and_stay_in_registers() -> None:
    # One of each lane; `scripts/test --triton` compiles the others, for other GPUs too.
    some = "(e2m1|e3m4|e5m2) search codes 128 10( in 16 axes)?$"
    # Kernels that the interpreter runs cannot be compiled.
    environment = {name: text for name, text in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-W", "ignore", "-m", TARGETS, "90", "--kernels", some]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("6 kernels compiled")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_float_queries_have_the_cpus_elements(dtype: torch.dtype) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for format in (mf.E4M3, mf.E2M1):
        # Fewer columns than a program has at once, and more.
        for dim in (1, 17, 600):
            x = of_any_size(dim, dtype)
            y = x.clone()
            y[7, dim // 2] = torch.nan
            found = implementation("triton", "to_lane")(y.to(device), format.name)
            elements, norms = (part.cpu() for part in found)
            expected = implementation("cpu", "to_lane")(x, format.name)
            there = torch.arange(12) != 7
            assert torch.equal(elements[there], expected[0][there])
            # Sums of squares of floats, in float64, are in another order.
            assert_close(norms[there], expected[1][there], rtol=2.0**-23, atol=0)
            assert norms[7].isnan()
            assert (elements[7] == 0).all()


@pytest.mark.parametrize("axes", [0, 3])
def test_a_database_of_more_rows_than_one_search_takes_is_searched_in_parts(
    axes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends.triton import scoring

    monkeypatch.setattr(scoring, "MOST_ROWS", 70)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = mf.quantize(normal(200, DIM), "e2m1")
    rows.reciprocal_norms[[3, 150]] = torch.nan
    b = rows_of(rows)._replace(coordinates=normal(200, axes, seed=1) / 2 if axes else None)
    mask, ranges = torch.arange(200) % 3 > 0, torch.tensor([[1, 2], [60, 160], [190, 200]])
    for chosen, k in ((Selection(), 200), (Selection(mask, ranges), 20)):
        asked = arguments(Best(Sides(b.some(slice(3)), b, "e2m1", DIM), chosen, k))
        there = [x.to(device) if isinstance(x, Tensor) else x for x in asked]
        found = implementation("triton", "search")(*there)
        expected = implementation("eager", "search")(*asked)
        for ours, theirs in zip(found, expected, strict=True):
            assert_close(ours.cpu(), theirs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("axes", [0, 3])
def test_where_fewer_rows_take_part_than_are_to_be_found_the_rest_is_no_row(axes: int) -> None:
    from minifloat.backends.triton import best

    device = "cuda" if torch.cuda.is_available() else "cpu"
    b = rows_of(mf.quantize(normal(200), "e2m1").to(device))
    if axes:
        b = b._replace(coordinates=normal(200, axes, seed=1).to(device) / 2)
    sides = Sides(b.some(slice(5)), b, "e2m1", DIM)
    three = Selection(torch.arange(200, device=device) % 70 == 1)
    # A backend that does not wait gets what the operator would refuse, had it looked.
    asked = Best(sides, three, 5)
    scores, rows = asked.results()
    best(asked, (scores, rows))
    expected = implementation("eager", "search")(*arguments(Best(sides, three, 3)))
    for ours, theirs in zip((scores, rows), expected, strict=True):
        assert_close(ours[:, :3], theirs, rtol=0, atol=0)
    assert scores[:, 3:].isnan().all()
    assert (rows[:, 3:] == -1).all()
