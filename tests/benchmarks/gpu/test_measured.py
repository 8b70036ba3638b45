"""What a run measures, as it writes it, at the smallest sizes and without a GPU."""

import json
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import groups
from benchmarks.gpu.cases.memory import MemoryCase

SCALE = 100_000
TORCH_RIVALS = {"torch float16", "torch float8_e4m3fn", "torch int8"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command measures, as it writes it, at the smallest sizes."""
    out = tmp_path_factory.mktemp("gpu") / "results"
    steps = "launch,equality,digests,bars"
    given = ["--device", "cpu", "--scale", str(SCALE), "--rounds", "3", "--commit", "unknown"]
    assert command.main([*given, "--steps", steps, "--out", str(out)]) == 0
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def of(report: dict[str, Any], op: str) -> list[dict[str, Any]]:
    items = (step["items"].values() for step in report["steps"].values())
    return [record for records in items for record in records if record["op"] == op]


@pytest.mark.long
def test_a_report_holds_every_case_and_what_it_ran_on(report: dict[str, Any]) -> None:
    assert list(report["steps"]) == [group for group in groups.GROUPS if group != "ways"]
    for group in report["steps"]:
        cases = groups.GROUPS[group]
        step = report["steps"][group]
        expected = {str(case): case for case in reversed(cases(SCALE))}
        assert set(step["items"]) == set(expected)
        for name, case in expected.items():
            record = step["items"][name]
            assert record.items() >= {"op": case.op, **case.inputs}.items()
            assert record["failures"] == {}
            assert set(record["left_out"]) <= {"flashlib float16"}
            assert record["seconds"] >= 0
        assert (step["ended"], step["left_out"]) == (None, [])
        facts = step["facts"]
        assert facts["device"]["name"].startswith("cpu")
        versions = facts["versions"]
        assert versions["minifloat"] == mf.__version__
        assert versions["torch"] == torch.__version__
        assert set(versions) >= {"python", "triton", "flashlib"}
    assert report["complete"]
    assert report["commit"]
    assert "--scale" in report["command"]


@pytest.mark.long
def test_a_record_has_quartiles_rates_and_ratios_of_the_same_rounds(report: dict[str, Any]) -> None:
    items = report["steps"]["bars"]["items"].values()
    contests = [record for record in items if record["op"] != MemoryCase.op]
    assert len(contests) > 40
    for case in contests:
        assert case["rounds"] == 3
        assert case["minifloat"]
        for figures in (*case["minifloat"], *case["limits"].values(), *case["rivals"].values()):
            low, high = figures["quartiles_s"]
            assert 0 < low <= figures["median_s"] <= high
            if "bytes" in figures:
                rate = figures["bytes"] / figures["median_s"] / 1e9
                assert figures["gb_per_s"] == pytest.approx(rate)
        for ours in case["minifloat"]:
            assert ours["backend"] == "cpu"
            assert ours["ratios"] == {
                name: pytest.approx(rival["median_s"] / ours["median_s"])
                for name, rival in case["rivals"].items()
            }


@pytest.mark.long
def test_a_record_of_values_has_a_share_of_a_copy_and_casts(report: dict[str, Any]) -> None:
    for case in (*of(report, "encode_pack"), *of(report, "decode")):
        (ours,) = case["minifloat"]
        copy = case["limits"]["copy"]
        assert ours["share_of_copy"] == pytest.approx(copy["median_s"] / ours["median_s"])
        bits = getattr(mf, case["format"].upper()).bits
        coded = case["values"] * bits // 8 if case["op"] == "encode_pack" else case["values"]
        read = 2 if case.get("source") == "bfloat16" else 4
        assert ours["bytes"] == copy["bytes"] == read * case["values"] + coded
        assert set(case["rivals"]) == ({"torch"} if case["format"] in ("e5m2", "e4m3") else set())


@pytest.mark.long
def test_a_record_of_a_search_has_recall_shares_and_every_rival(report: dict[str, Any]) -> None:
    searches = of(report, "search")
    for case in searches:
        assert set(case["rivals"]) >= TORCH_RIVALS
        for rival in case["rivals"].values():
            assert rival["recall"] > 0.7
        products = 2 * case["queries"] * case["rows"] * case["dim"]
        for ours in case["minifloat"]:
            assert 0.5 < ours["recall"] <= 1
            assert ours["tops"] == pytest.approx(products / ours["median_s"] / 1e12)
            shares = {name for name in ours if name.startswith("share_of_")}
            assert shares in ({"share_of_read"}, {"share_of_int8_peak", "share_of_float16_peak"})
    for case in searches[:1]:
        assert [ours["format"] for ours in case["minifloat"]] == [f.name for f in mf.FORMATS]
    reads = [limits for name, limits in searches[0]["limits"].items() if "4 bits" in name]
    (e2m1,) = (ours for ours in searches[0]["minifloat"] if ours["format"] == "e2m1")
    fastest = min(read["median_s"] for read in reads)
    assert e2m1["share_of_read"] == pytest.approx(fastest / e2m1["median_s"])


@pytest.mark.long
def test_a_record_of_host_memory_has_its_share_of_copying(report: dict[str, Any]) -> None:
    (case,) = of(report, "search of host memory")
    (ours,) = case["minifloat"]
    assert ours["bytes"] == case["rows"] * case["dim"]
    assert ours["share_of_copy_to_device"] > 0
    assert ours["recall"] > 0.5


@pytest.mark.long
def test_equality_is_told_by_backend_and_format(report: dict[str, Any]) -> None:
    (case,) = of(report, "scores equal to the CPU's")
    integers = [f.name for f in mf.FORMATS if f.lane != "float"]
    assert case["equal"] == {"cpu": dict.fromkeys(integers, True)}
