"""docs/performance/gpu-estimates.md: its tables are those of the recorded counts."""

import json

from benchmarks.gpu.code import estimates, streams
from benchmarks.gpu.code.estimates import Work
from tests.support.paths import ROOT

MEASURED = json.loads((ROOT / estimates.MEASURED).read_text())


def test_the_tables_are_those_of_the_recorded_counts() -> None:
    record = json.loads(estimates.RECORD.read_text())
    page = (ROOT / "docs" / "performance" / "gpu-estimates.md").read_text()
    for lines in (estimates.table(record["loops"], MEASURED), streams.table(record["streams"])):
        table = "\n".join(lines)
        assert table in page, f"python -m benchmarks.gpu.code.estimates prints:\n{table}"


def test_rows_that_stream_take_no_more_instructions_than_their_bytes_leave_time_for() -> None:
    record = json.loads(estimates.RECORD.read_text())["streams"]
    at_limit = estimates.clocks_at_limit(Work("", "", "read", 512), MEASURED)
    for stream in streams.STREAMS:
        figures = record[stream.kernel]
        assert figures["issued"] < at_limit
        assert 2 * figures["half_rate"] < at_limit
    assert record[streams.STREAMS[-1].kernel]["issued"] <= 100


def test_limits_are_bytes_of_a_run_or_products_of_the_data_sheet() -> None:
    copy = estimates.clocks_at_limit(Work("", "", "copy", 1000), MEASURED)
    assert copy == 1000 * 528 * 1.83e9 / (estimates.bandwidth("copy", MEASURED))
    assert 4.2e12 < estimates.bandwidth("copy", MEASURED) < 4.5e12
    assert 4.2e12 < estimates.bandwidth("read", MEASURED) < 4.5e12
    assert estimates.clocks_at_limit(Work("", "", "int8", 4096), MEASURED) == 4
    assert estimates.clocks_at_limit(Work("", "", "float16", 4096), MEASURED) == 8
