import json
import re
from typing import Any

import pytest

import minifloat as mf
from benchmarks.codec import DIM, CodecCase
from benchmarks.harness import machine
from benchmarks.harness.calls import CallCase, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import ContestCase
from benchmarks.harness.device import Processor
from benchmarks.harness.record import line
from benchmarks.harness.rival import NotHereError, Rival, package, rivals_of
from benchmarks.harness.table import table
from benchmarks.registry import OPS, SOURCES, cases
from benchmarks.rivals import PACKAGES, RIVALS, svs
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
            try:
                run = entrant.start()
            except NotHereError as reason:
                pytest.skip(str(reason))
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


def test_a_rival_that_would_end_the_process_is_left_out_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(svs, "_PROBE", "print('x\\nnot on this one', flush=True); exit(1)")
    monkeypatch.setattr(svs, "_refusal", svs._refusal.__wrapped__)
    lvq = [rival for rival in svs.RIVALS if "LVQ" in rival.name]
    (case,) = (c for c in ALL if str(c).startswith("search, format e4m3, source codes, queries 3"))
    outcome = case.measure(Setting(Processor(), 1, rivals=lvq, strict=True), float("inf"))
    assert outcome.left_out == dict.fromkeys(("svs LVQ8", "svs LVQ4x4"), "not on this one")
    assert outcome.found["rivals"] == {}


def test_the_version_of_a_package_is_found_by_what_it_is_imported_as(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: {"other": ["pytest"]})
    machine._packages.cache_clear()
    assert machine.versions(["other", "absent"]).items() >= {
        ("other", pytest.__version__),
        ("absent", None),
    }
    machine._packages.cache_clear()


def test_recall_of_four_bits_stands_beside_ours_in_table_and_record() -> None:
    pytest.importorskip("turbovec")
    case = next(case for case in ALL if case.op == "search" and case.format is mf.E2M1)
    of_turbovec = [rival for rival in RIVALS if rival.name == "turbovec"]
    measured, record = found(case, of_turbovec)
    theirs = record["rivals"]["turbovec"]["recall"]
    assert 0.2 <= theirs <= 1
    assert 0.2 <= record["recall"] <= 1
    _, told = table([(case, measured)]).splitlines()
    assert re.search(rf" {record['recall']:.3f}  turbovec .* \(recall {theirs:.3f}\)$", told)
