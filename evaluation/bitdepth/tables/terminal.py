"""The numbers of a study as a table for the terminal."""

from evaluation.bitdepth.metrics import METRICS
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR, TOTAL_BYTES
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.tables.columns import in_order
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import verdict
from evaluation.page.text import aligned

SHOWN = in_order(METRICS, first=[BYTES_PER_VECTOR, TOTAL_BYTES, EER])
HEADINGS = ("format", *(heading for metric in SHOWN for heading in metric.terminal), "verdict")


def terminal_table(study: BitdepthStudy, *, tolerance: Tolerance) -> str:
    """Return a model's table, columns aligned, at most about 130 characters wide."""
    row = study.float32
    lines = [[*HEADINGS]]
    for result in study.results:
        judged = verdict(result.row, tolerance=tolerance).value
        if result.condition.is_float32:
            judged = "reference"
        cells = [
            write(result.row[metric]) for metric in SHOWN for write in metric.terminal.values()
        ]
        lines.append([result.condition.label, *cells, judged])
    return (
        f"{row.model}: {row.vectors:,} vectors of {row.dim} values, {row.trials}: "
        f"{row.targets:,} target and {row.nontargets:,} non-target of {row.speakers} speakers\n"
        f"FAR, FRR at threshold {row.threshold:.6f}; change of EER in points and shift of its "
        "threshold against float32;\n"
        "bytes of a vector and MiB of all; values that overflow (over) and that become zero\n"
        f"{aligned(lines, words=(0, len(HEADINGS) - 1))}"
    )
