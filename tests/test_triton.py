"""The Triton kernels for GPUs: compiled ahead of time, which needs none."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf

pytest.importorskip("triton")

TARGETS = Path(__file__).with_name("triton_targets.py")

# What multiplies on the matrix units of each compute capability, for many queries where registers
# allow it, and for few.
MATRIX = {
    80: ("mma.sync", "mma.sync"),
    90: ("wgmma.mma_async", "mma.sync"),
    100: ("tcgen05.mma", "mma.sync"),
}

LANES = {format.name: format.lane for format in mf.FORMATS}

# Blocks that a grid may have along any axis but the first.
MOST_BLOCKS = 65535


@pytest.mark.parametrize("counts", [(MOST_BLOCKS + 9, 3), (3, MOST_BLOCKS + 9)], ids=str)
def test_any_number_of_queries_and_rows_is_along_a_grids_first_axis(
    counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import triton as backend
    from minifloat.backends.triton_plan import Plan

    grids: list[tuple[int, ...]] = []

    def launch(kernel: Any, grid: tuple[int, ...], on: torch.Tensor) -> Callable[..., None]:
        grids.append(grid)
        return lambda *arguments, **constants: None

    constants = Plan.constants
    small = {"QUERIES": 1, "ROWS": 1}
    monkeypatch.setattr(Plan, "constants", lambda *given: constants(*given) | small)
    monkeypatch.setattr(backend, "_launch", launch)
    monkeypatch.setattr(backend, "_multiprocessors", lambda device: 160)
    (a, a_norms), (b, b_norms) = [
        (torch.zeros(n, 1, dtype=torch.uint8), torch.zeros(n)) for n in counts
    ]
    backend.scores(a, a_norms, b, b_norms, "e2m1", 2)
    backend.search(a, a_norms, b, b_norms, None, None, 1, "e2m1", 2)
    scores, search, _ = grids
    assert scores == (len(a) * len(b),)
    assert search[0] == len(a)
    assert search[1:] <= (MOST_BLOCKS,)


@pytest.mark.parametrize("capability", MATRIX)
def test_every_kernel_compiles_for_matrix_units_and_stays_in_registers(capability: int) -> None:
    # Kernels that the interpreter runs cannot be compiled.
    environment = {name: text for name, text in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-W", "ignore", str(TARGETS), str(capability)]
    run = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert {line["format"] for line in lines} == set(LANES)
    assert [line for line in lines if line["spills"]] == []
    many, few = MATRIX[capability]
    for line in lines:
        multiplies = line["kernel"].startswith(("scores", "search"))
        assert bool(line["matrix"]) == multiplies, line
        for instruction in line["matrix"]:
            assert instruction.startswith((many, few)), line
            operands = "f16" if LANES[line["format"]] == "float" else "[si]8"
            assert re.search(operands, instruction), line
    wide = [line for line in lines if line["kernel"] == "search codes 128 10"]
    in_groups = [line for line in wide if line["matrix"][0].startswith(many)]
    # Two planes of codes of 6 bits leave no registers for many queries.
    assert {line["format"] for line in wide} - {line["format"] for line in in_groups} <= {"e3m2"}
