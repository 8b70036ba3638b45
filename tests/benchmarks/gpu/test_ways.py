"""Each way of the CUDA kernels is tried beside all of the new ones, and told of."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.gpu import groups, verdicts, ways
from benchmarks.gpu.cases.calls import FLOAT_SEARCH, RANGE_SEARCH, CallCase
from benchmarks.gpu.cases.codec import DeviceCodecCase
from benchmarks.gpu.cases.search import DeviceSearchCase
from benchmarks.gpu.cases.ways import WaysCase
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, Entrant
from benchmarks.harness.device import Processor
from tests.backends.cuda.asked import needs_emulator
from tests.support import emulated
from tests.support.on_gpu import served_by

SETTING = Setting(Processor(), 3, ("cuda",))
FOREVER = float("inf")
SEARCH = DeviceSearchCase(24, 208, 64, 5, (mf.E2M1, mf.E3M2, mf.E3M4, mf.E4M3, mf.E5M2), "read", 32)


@pytest.fixture
def options() -> Iterator[Any]:
    emulated.install()
    from minifloat import _cuda

    yield _cuda.ways()
    for way in ways.all_ways():
        assert getattr(_cuda.ways(), way.name) != way.old


@needs_emulator
def test_every_way_has_its_cases(options: Any) -> None:
    names = [way.name for way in ways.all_ways()]
    assert set(ways.SHOWN) == set(names)
    seen = set()
    for case in groups.ways(1):
        assert isinstance(case, WaysCase)
        for format in mf.FORMATS:
            seen |= {way.name for way in ways.ways_of(case.op, case.inputs, format)}
    assert seen == set(names)


@needs_emulator
def test_each_way_is_timed_in_one_format_of_each_kind(options: Any) -> None:
    outcome = WaysCase(SEARCH).measure(SETTING, FOREVER)
    assert outcome.failures == {}
    found = outcome.found["minifloat"]
    common = {None, "starts_early", "has_long_lists", "merges_by_list", "fewest_by_warpgroup"}
    for format in ("e2m1", "e3m2", "e3m4", "e4m3"):
        expected = common | ({"has_three_products"} if format.startswith("e3") else set())
        assert {one.get("without") for one in found if one["format"] == format} == expected
    assert "e5m2" not in {one["format"] for one in found}
    assert outcome.found["rivals"] == outcome.found["limits"] == {}
    packing = DeviceCodecCase("encode_pack", mf.E2M1, 512 * 3)
    outcome = WaysCase(packing).measure(SETTING, FOREVER)
    assert [one.get("without") for one in outcome.found["minifloat"]] == [
        None,
        "packs_in_registers",
    ]


@needs_emulator
@pytest.mark.parametrize(
    ("call", "way"), [(RANGE_SEARCH, "appends_hits"), (FLOAT_SEARCH, "prepares_at_once")]
)
def test_public_calls_have_their_ways(
    options: Any, call: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallCase, "backends", lambda self, setting: setting.backends)
    case = CallCase(3, 208, 64, 5, (mf.E2M1,), "read", 32, call=call)
    with served_by("cuda", "CPU"):
        outcome = WaysCase(case).measure(SETTING, FOREVER)
    assert outcome.failures == {}
    assert way in {one.get("without") for one in outcome.found["minifloat"]}


@needs_emulator
def test_a_case_without_ways_is_left_out(options: Any) -> None:
    outcome = WaysCase(DeviceCodecCase("decode", mf.E2M1, 512)).measure(SETTING, FOREVER)
    assert outcome.left_out == {"cuda": "no way can matter here"}


@needs_emulator
def test_a_way_is_old_while_it_runs_and_new_afterwards_whatever_happens(options: Any) -> None:
    way = ways.Way("fewest_by_warpgroup", 65)
    assert way.off(lambda: options.fewest_by_warpgroup)() == 65

    def fails() -> None:
        raise ValueError(options.fewest_by_warpgroup)

    with pytest.raises(ValueError, match="65"):
        way.off(fails)()
    assert options.fewest_by_warpgroup == 9


@needs_emulator
def test_a_way_that_answers_otherwise_is_refused(
    options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contest(self: DeviceSearchCase, setting: Setting) -> Contest:
        def run() -> torch.Tensor:
            return torch.tensor([1.0, 2.0 if options.starts_early else 3.0])

        facts = {"backend": "cuda", "format": "e2m1"}
        return Contest(None, [Entrant("one", lambda: run, lambda run: None, facts=facts)], (), ())

    monkeypatch.setattr(DeviceSearchCase, "contest", contest)
    outcome = WaysCase(SEARCH).measure(SETTING, FOREVER)
    told = "RivalError: the answer is not the one of all new ways"
    assert outcome.failures == {"one without starts_early": told}


def test_without_the_extension_all_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "minifloat._cuda", None)
    outcome = WaysCase(replace(SEARCH, formats=(mf.E2M1,))).measure(SETTING, FOREVER)
    assert "does not import" in outcome.left_out["cuda"]
    assert outcome.found == {}


def times(median: float, without: str = "") -> dict[str, Any]:
    spread = 0.1 if median != 1.01 else 0.0
    quartiles = [median * (1 - spread), median * (1 + spread)]
    figures = {"format": "e2m1", "median_s": median, "quartiles_s": quartiles}
    return figures | ({"without": without} if without else {})


@pytest.mark.parametrize(
    ("old", "advice"),
    [
        ((2.0, 3.0), "keep the new way, faster in 2 of 2"),
        ((1.05, 0.95), "no difference beyond the quartiles: keep what is simpler"),
        ((0.5, 1.0), "take the old way back, faster in 1 of 2"),
        ((0.5, 3.0), "let the host choose: new faster in 1, old in 1 of 2"),
    ],
)
def test_what_to_do_with_a_way_follows_from_quartiles(
    old: tuple[float, float], advice: str
) -> None:
    items = {
        f"case {i}": {"minifloat": [times(1.0), times(each, "some_way")]}
        for i, each in enumerate(old)
    }
    head, *lines = verdicts.told({"ways": {"items": items}})
    assert head == f"some_way: {advice}"
    assert [line.split()[0] for line in lines] == [f"{each:.2f}" for each in sorted(old)]
