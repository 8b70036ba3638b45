"""The Triton kernels for GPUs: compiled ahead of time, which needs none."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("triton", "3.6")

TARGETS = Path(__file__).with_name("triton_targets.py")

# Blocks that a grid may have along any axis but the first.
MOST_BLOCKS = 65535


@pytest.mark.parametrize("counts", [(MOST_BLOCKS + 9, 3), (3, MOST_BLOCKS + 9)], ids=str)
def test_any_number_of_queries_and_rows_is_along_a_grids_first_axis(
    counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import triton as backend
    from minifloat.backends.triton.plan import Plan
    from minifloat.backends.triton.products import scores_kernel
    from minifloat.backends.triton.search import search_kernel

    grids: dict[Any, tuple[int, ...]] = {}

    def launch(kernel: Any, grid: tuple[int, ...], on: torch.Tensor) -> Callable[..., None]:
        grids[kernel] = grid
        return lambda *arguments, **constants: None

    way = Plan.way
    monkeypatch.setattr(Plan, "way", lambda *given: replace(way(*given), queries=1, rows=1))
    monkeypatch.setattr(backend, "_launch", launch)
    monkeypatch.setattr(backend, "_multiprocessors", lambda device: 160)
    (a, a_norms), (b, b_norms) = [
        (torch.zeros(n, 1, dtype=torch.uint8), torch.zeros(n)) for n in counts
    ]
    backend.scores(a, a_norms, b, b_norms, "e2m1", 2)
    backend.search(a, a_norms, b, b_norms, None, None, 1, "e2m1", 2)
    scores, search = grids[scores_kernel], grids[search_kernel]
    assert scores == (len(a) * len(b),)
    assert search[0] == len(a)
    assert search[1:] <= (MOST_BLOCKS,)


@pytest.mark.long
def test_kernels_compile_for_matrix_units_and_stay_in_registers() -> None:
    # One of each lane; `scripts/test --triton` compiles the others, for other GPUs too.
    some = "(e2m1|e3m4|e5m2) search codes 128 10$"
    # Kernels that the interpreter runs cannot be compiled.
    environment = {name: text for name, text in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-W", "ignore", str(TARGETS), "90", "--kernels", some]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("3 kernels compiled")
