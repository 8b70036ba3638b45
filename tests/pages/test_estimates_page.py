"""docs/gpu-estimates.md: its table is that of the recorded counts."""

import json

from benchmarks.gpu import estimates
from benchmarks.gpu.estimates import Work
from tests.support.paths import ROOT

MEASURED = json.loads((ROOT / estimates.MEASURED).read_text())


def test_the_table_is_that_of_the_recorded_counts() -> None:
    loops = json.loads(estimates.RECORD.read_text())["loops"]
    table = "\n".join(estimates.table(loops, MEASURED))
    page = (ROOT / "docs" / "gpu-estimates.md").read_text()
    assert table in page, f"python -m benchmarks.gpu.estimates prints:\n{table}"


def test_limits_are_bytes_of_a_run_or_products_of_the_data_sheet() -> None:
    copy = estimates.clocks_at_limit(Work("", "", "copy", 1000), MEASURED)
    assert copy == 1000 * 528 * 1.83e9 / (estimates.bandwidth("copy", MEASURED))
    assert 4.2e12 < estimates.bandwidth("copy", MEASURED) < 4.5e12
    assert 4.2e12 < estimates.bandwidth("read", MEASURED) < 4.5e12
    assert estimates.clocks_at_limit(Work("", "", "int8", 4096), MEASURED) == 4
    assert estimates.clocks_at_limit(Work("", "", "float16", 4096), MEASURED) == 8
