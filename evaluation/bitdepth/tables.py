"""The numbers of a study as a table for the terminal."""

from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import verdict
from evaluation.page.notation import percent, rare, shift, signed
from evaluation.page.text import aligned

HEADINGS = (
    "format",
    "bytes",
    "MiB",
    "EER % [95 %]",
    "change [95 %]",
    "FAR %",
    "FRR %",
    "shift",
    "1 - cos",
    "over %",
    "zero %",
    "verdict",
)


def terminal_table(study: BitdepthStudy, *, tolerance: Tolerance) -> str:
    """Return a model's table, columns aligned, at most about 130 characters wide."""
    row = study.float32
    lines = [[*HEADINGS]]
    for result in study.results:
        judged = verdict(result.row, tolerance=tolerance).value
        if result.condition.is_float32:
            judged = "reference"
        lines.append([result.condition.label, *_cells(result.row), judged])
    return (
        f"{row.model}: {row.vectors:,} vectors of {row.dim} values, {row.trials}: "
        f"{row.targets:,} target and {row.nontargets:,} non-target of {row.speakers} speakers\n"
        f"FAR, FRR at threshold {row.threshold:.6f}; change of EER in points and shift of its "
        "threshold against float32;\n"
        "bytes of a vector and MiB of all; values that overflow (over) and that become zero\n"
        f"{aligned(lines, words=(0, len(HEADINGS) - 1))}"
    )


def _cells(row: ConditionRow) -> list[str]:
    eer = row.eer
    return [
        str(row.bytes_per_vector),
        f"{row.total_bytes / 2**20:.2f}",
        f"{percent(eer.value)} [{percent(eer.low)}, {percent(eer.high)}]",
        f"{signed(eer.change)} [{signed(eer.change_low)}, {signed(eer.change_high)}]",
        percent(row.far.value),
        percent(row.frr.value),
        shift(row.eer_threshold_shift),
        f"{row.cosine_loss:.1e}" if row.cosine_loss else "0",
        rare(row.overflow),
        rare(row.underflow),
    ]
