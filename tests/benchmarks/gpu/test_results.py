"""The files of a run: its report, and what of it is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import results
from benchmarks.gpu.report import Report


def test_a_report_is_whole_at_any_time_and_written_at_once_where_something_fails(
    tmp_path: Path,
) -> None:
    report = Report(tmp_path, {"commit": "c"})
    report.hear("bars", {"plan": ["a", "b", "c"]})
    report.hear("bars", {"end": "a", "record": {"seconds": 1}})
    report.hear("bars", {"end": "b", "record": {"failures": {"all": "why"}}})
    written = json.loads((tmp_path / "report.json").read_text())
    assert not written["complete"]
    assert list(written["steps"]["bars"]["items"]) == ["a", "b"]
    report.end("bars", 2.0, "no time was left")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["steps"]["bars"]["left_out"] == ["c"]
    assert report.failures == 2
    assert Report(tmp_path, {}, tmp_path / "report.json").done("bars") == {"a"}


def test_results_are_a_report_without_paths_and_without_what_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passed = {"seconds": 0.1, "failures": {}}
    failed = {"seconds": 0.2, "failures": {"call": "a\nlong\nstory\n"}}
    measured = {"seconds": 1, "minifloat": [{"median_s": 0.1}], "failures": {}, "left_out": {}}
    step: dict[str, Any] = {"seconds": 3.0, "ended": None, "left_out": []}
    facts = {"device": {"name": "NVIDIA H200"}, "versions": {"torch": "2"}}
    report = {
        "complete": True,
        "command": "scripts/gpu --minutes 5 --out /a/b --rounds 3",
        "resumed": [{"command": "scripts/gpu --out=/a", "started": "today", "commit": "1"}],
        "steps": {
            "bars": {**step, "facts": facts, "items": {"search": measured}},
            "suite": {**step, "items": {"one": passed, "two": failed, "three": passed}},
        },
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert results.main([str(tmp_path / "report.json"), "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == str(tmp_path / "nvidia-h200.json")
    assert "not measured: encode+pack is 90 % of a copy" in told
    assert "NOT MET: the suite and the sanitizers are clean; worst of 1 1 (suite)" in told
    found = json.loads((tmp_path / "nvidia-h200.json").read_text())
    assert found["command"] == "scripts/gpu --minutes 5 --rounds 3"
    assert found["resumed"] == [{"command": "scripts/gpu", "started": "today", "commit": "1"}]
    assert found.items() >= facts.items()
    assert found["steps"]["bars"]["items"] == {
        "search": {"seconds": 1, "minifloat": [{"median_s": 0.1}]}
    }
    assert found["steps"]["suite"]["passed"] == 2
    assert found["steps"]["suite"]["items"] == {
        "two": {"seconds": 0.2, "failures": {"call": "story"}}
    }
