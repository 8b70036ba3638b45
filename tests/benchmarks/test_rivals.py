import json
from typing import Any

import pytest

import minifloat as mf
from benchmarks.codec import DIM, CodecCase
from benchmarks.harness.calls import CallCase, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import ContestCase
from benchmarks.harness.device import Processor
from benchmarks.harness.record import line
from benchmarks.harness.rival import Rival, package, rivals_of
from benchmarks.registry import OPS, SOURCES, cases
from benchmarks.rivals import PACKAGES, RIVALS
from tests.support.paths import ROOT

SIZES = Sizes(values=[7, 2 * DIM], queries=[1, 3], rows=300, dim=40, k=5)
ALL = cases(list(OPS.values()), mf.FORMATS, SOURCES, SIZES)
ON_CPU = [rival for rival in RIVALS if rival.device == "cpu"]

pytestmark = pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")


def test_every_file_of_a_rival_takes_part() -> None:
    files = (ROOT / "benchmarks" / "rivals").glob("*.py")
    assert {file.stem for file in files} - {"__init__"} == set(PACKAGES)
    assert {package(rival.name) for rival in RIVALS} == set(PACKAGES)


@pytest.mark.parametrize("rival", ON_CPU, ids=lambda rival: "-".join([rival.name, *rival.ops]))
def test_a_rival_gives_the_same_answer_or_finds_the_nearest_rows(rival: Rival[Any]) -> None:
    pytest.importorskip(package(rival.name))
    setting, served = Setting(Processor(), rounds=1, rivals=(rival,)), set()
    for case in ALL:
        assert isinstance(case, ContestCase)
        contest = case.contest(setting)
        for entrant in contest.rivals:
            run = entrant.start()
            if run is not None:
                assert (entrant.check(run) is None) == isinstance(case, CodecCase)
                served.add((case.op, case.inputs.get("scope")))
    scopes = ("call", "kernel") if served & {(op, "call") for op in rival.ops} else (None,)
    assert served == {(op, scope) for op in rival.ops for scope in scopes}


def found(case: CallCase, rivals: list[Rival[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a case has found, and its record."""
    setting = Setting(Processor(), rounds=2, rivals=rivals, strict=True)
    found = case.measure(setting, float("inf")).found
    return found, json.loads(line(case, found, "benchmark"))


@pytest.mark.parametrize("op", ["encode", "search"])
def test_a_record_holds_the_times_of_rivals(op: str) -> None:
    case = next(case for case in ALL if case.op == op and case.format.bits == 8)
    of_torch = [rival for rival in rivals_of(RIVALS, op) if rival.name == "torch"]
    measured, record = found(case, of_torch)
    (rival,) = record["rivals"].values()
    assert rival["ratio"] == pytest.approx(rival["median_s"] / record["median_s"])
    assert rival.get("recall") == (1 if op == "search" else None)
    assert measured["rivals"]["torch"]["median_s"] == rival["median_s"]


def test_a_record_keeps_two_ways_of_one_package_apart_and_has_its_version_once() -> None:
    case = next(case for case in ALL if case.op == "search")
    of_torch = [rival for rival in rivals_of(RIVALS, "search") if package(rival.name) == "torch"]
    _, record = found(case, of_torch)
    assert set(record["rivals"]) == {"torch", "torch bfloat16"}
    assert set(record["versions"]) == {"python", "minifloat", "numpy", "torch"}
