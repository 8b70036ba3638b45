"""Calls cost no more than they did."""

import json
from pathlib import Path

import pytest

from tests.proofs import call_times


@pytest.mark.long
def test_calls_cost_what_is_on_record() -> None:
    assert call_times.main([]) == 0


def test_a_call_that_costs_more_than_on_record_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"one": 1.0, "two": 1.0}))
    monkeypatch.setattr(call_times, "RECORD", record)
    for multiple, status in ((2.0, 0), (2.01, 1)):
        found = {"one": 0.5, "two": multiple}
        monkeypatch.setattr(call_times, "multiples", lambda timed, found=found: found)
        assert call_times.main([]) == status
