"""Public calls, what a search takes of memory, and rows in an order or a frame."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.gpu.cases.calls import CALLS, EXACT_SEARCH, CallCase
from benchmarks.gpu.cases.equality import SearchEquality
from benchmarks.gpu.cases.memory import MemoryCase
from benchmarks.harness.case import Setting
from benchmarks.harness.device import Processor
from benchmarks.rivals import RIVALS

SETTING = Setting(Processor(), 3, ("cpu",), RIVALS)
FOREVER = float("inf")


@pytest.mark.parametrize("call", CALLS)
def test_public_calls_are_timed_by_the_wall_clock(call: str) -> None:
    case = CallCase(5, 208, 48, 5, (mf.E2M1, mf.E4M3), "read", 32, call=call, axes=2)
    outcome = case.measure(SETTING, FOREVER)
    assert outcome.failures == {}
    assert [ours["format"] for ours in outcome.found["minifloat"]] == ["e2m1", "e4m3"]
    for ours in outcome.found["minifloat"]:
        assert ours["backend"] == "cpu"
        assert ours["recall"] > (0.99 if call == EXACT_SEARCH else 0.5)
        assert ours["share_of_read"] > 0
    assert outcome.found["rivals"] == {}
    assert case.inputs["axes"] == 2
    assert case.by_wall


def test_memory_is_told_of_few_rows_and_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    case = MemoryCase((mf.E2M1, mf.E4M3), 3, 200, 48, 5)
    # Nobody counts on a CPU.
    assert case.measure(SETTING, FOREVER).found == {"memory": {}}

    def rows_found(device: Processor, run: Callable[[], Any]) -> int:
        (scores, rows), sides = run(), run.args  # type: ignore[attr-defined]
        assert rows.shape == scores.shape == (3, 5)
        return max(len(x) for x in sides if isinstance(x, torch.Tensor))

    monkeypatch.setattr(Processor, "peak_bytes", rows_found)
    found = case.measure(SETTING, FOREVER).found["memory"]
    assert found == {"cpu e2m1": [200, 1600], "cpu e4m3": [200, 1600]}


@pytest.mark.parametrize("more", [{"order": "ascending"}, {"axes": 4}])
def test_rows_in_an_order_or_in_a_frame_are_compared(more: dict[str, Any]) -> None:
    case = SearchEquality((mf.E2M1, mf.E3M4), 9, 300, 48, k=20, **more)
    outcome = case.measure(Setting(Processor(), 1, ("cpu", "eager")), FOREVER)
    assert outcome.failures == {}
    assert outcome.found["equal"]["eager"] == {"e2m1": True, "e3m4": True}
    assert case.inputs.items() >= more.items()
