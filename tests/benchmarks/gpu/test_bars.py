"""What a report says of the bars: met, missed or not measured."""

from typing import Any

import pytest

from benchmarks.gpu import bars, groups
from benchmarks.gpu.cases.calls import FLOAT_SEARCH

ENDED: dict[str, Any] = {"left_out": [], "ended": None}


def steps(*records: dict[str, Any], **others: Any) -> dict[str, Any]:
    items = {f"case {i}": record for i, record in enumerate(records)}
    return {"bars": {**ENDED, "items": items}, **others}


def line(found: dict[str, Any], words: str) -> list[str]:
    """The lines of the bar with these words."""
    (bar,) = [bar for bar in bars.BARS if words in bar.name]
    return list(bar.told(found))


def packing(**shares: float) -> list[dict[str, Any]]:
    return [
        {"op": "encode_pack", "minifloat": [{"format": format, "share_of_copy": share}]}
        for format, share in shares.items()
    ]


def batch(format: str, **figures: Any) -> dict[str, Any]:
    sizes = {"queries": 4096, "rows": 1_000_000, "dim": 256, "k": 100}
    return {"op": "search", **sizes, "minifloat": [{"format": format, **figures}]}


def test_a_bar_is_met_where_the_worst_figure_is() -> None:
    (told,) = line(steps(*packing(e2m1=0.92, e4m3=0.97)), "of a copy")
    assert told == ("met: encode+pack is 90 % of a copy; worst of 2 92 % (e2m1: case 0)")


def test_each_figure_that_misses_a_bar_is_told() -> None:
    head, *rest = line(steps(*packing(e2m1=0.79, e4m3=0.97, e3m2=0.8)), "of a copy")
    assert head.startswith("NOT MET: encode+pack is 90 % of a copy; worst of 3 79 %")
    assert rest == ["    79 % (e2m1: case 0)", "    80 % (e3m2: case 2)"]


def test_formats_and_sizes_have_their_own_bars() -> None:
    found = steps(batch("e2m1", tops=510.0), batch("e3m2", tops=390.0))
    assert line(found, "at 500 TOPS")[0].startswith("met")
    assert line(found, "at 400 TOPS")[0].startswith("NOT MET")
    small = {**batch("e2m1", tops=1.0), "rows": 10_000}
    assert line(steps(small), "at 500 TOPS") == [
        "not measured: 4096 queries on 1 M rows multiply at 500 TOPS"
    ]


def test_ratios_times_memory_and_failures_have_bounds() -> None:
    ratio = batch("e2m1", ratios={"torch float16": 3.5})
    assert line(steps(ratio), "quarter")[0].startswith("NOT MET")
    call = {"op": FLOAT_SEARCH, "queries": 1, "rows": 1_000_000, "dim": 256}
    call["minifloat"] = [{"format": "e2m1", "median_s": 55e-6}]
    assert "55 us" in line(steps(call), "60 us")[0]
    grows = {"op": "memory of a search", "memory": {"cuda e2m1": [100, 150]}}
    (head, *_) = line(steps(grows), "no more memory")
    assert head.startswith("NOT MET")
    assert "1.5 times as much" in head
    failed = {**ENDED, "items": {"one": {"failures": {"call": "why"}}, "two": {}}}
    assert line(steps(suite=failed), "suite")[0].startswith("NOT MET")
    assert line(steps(suite={**failed, "items": {}}), "suite")[0].startswith("met")
    late = {**ENDED, "ended": "no time was left", "items": {}}
    assert line(steps(equality=late), "digests")[0].startswith("NOT MET")


@pytest.mark.parametrize("bar", bars.BARS, ids=lambda bar: bar.name)
def test_every_bar_has_cases_of_full_size(bar: bars.Bar) -> None:
    """Cases that are measured have what the table looks for."""
    every = {"tops": 1.0, "median_s": 1.0, "ratios": {"torch float16": 1.0}}
    every |= {f"share_of_{name}": 1.0 for name in ("copy", "read", "copy_to_device")}
    found = {
        str(case): {
            "op": case.op,
            **case.inputs,
            "minifloat": [{"format": format, **every} for format in ("e2m1", "e3m2")],
            "memory": {"cuda e2m1": [1, 1]},
        }
        for case in groups.bars(1)
    }
    ended = {name: {**ENDED, "items": {}} for name in ("suite", "equality")}
    assert list(bar.find({"bars": {**ENDED, "items": found}, **ended}))
