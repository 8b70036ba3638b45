"""The numbers of studies as text: a table for the terminal and a CSV file."""

import csv
import io
from collections.abc import Sequence
from dataclasses import fields

from evaluation.bitdepth import Estimate, ModelStudy, Row
from evaluation.verdicts import signed, verdict

HEADINGS = (
    "format",
    "bytes",
    "EER % (95 % interval)",
    "change (95 % interval)",
    "FAR %",
    "FRR %",
    "shift",
    "1 - cos",
    "overflow",
    "to zero",
    "verdict",
)


def terminal_table(study: ModelStudy, *, tolerance: float) -> str:
    """Return a model's table, columns aligned, for a terminal 120 characters wide."""
    row = study.float32
    lines = [[*HEADINGS]]
    for result in study.results:
        judged = verdict(result.row, tolerance=tolerance).value
        if result.condition.is_float32:
            judged = "reference"
        lines.append([result.condition.label, *_cells(result.row), judged])
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, len(HEADINGS) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
    return (
        f"{row.model}: {row.vectors} vectors of {row.dim} values, {study.trials}: "
        f"{row.targets:,} target and {row.nontargets:,} non-target of {row.speakers} speakers\n"
        f"FAR and FRR at threshold {row.threshold:.6f}; change, shift: against float32; "
        f"change in points\n{text}"
    )


def _cells(row: Row) -> list[str]:
    eer = row.eer
    return [
        str(row.bytes_per_vector),
        f"{100 * eer.value:.2f} ({100 * eer.low:.2f} to {100 * eer.high:.2f})",
        f"{signed(eer.change)} ({signed(eer.change_low)} to {signed(eer.change_high)})",
        f"{100 * row.far.value:.2f}",
        f"{100 * row.frr.value:.2f}",
        shift(row.eer_threshold_shift),
        f"{row.cosine_loss:.1e}",
        share(row.overflow),
        share(row.underflow),
    ]


def shift(value: float) -> str:
    """Return a threshold's shift with its sign, or 0 where it rounds to that: -0.0315, 0."""
    text = f"{value:+.4f}"
    return "0" if float(text) == 0 else text


def share(value: float) -> str:
    """Return a share in percent, told from none however small: 0, <0.01 %, 36.50 %."""
    if value == 0:
        return "0"
    return "<0.01 %" if value < 5e-5 else f"{100 * value:.2f} %"


def csv_text(studies: Sequence[ModelStudy]) -> str:
    """All rows of all models as CSV; an estimate takes a column for each of its numbers."""
    buffer = io.StringIO(newline="")
    rows = [_flat(result.row) for study in studies for result in study.results]
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _flat(row: Row) -> dict[str, object]:
    flat: dict[str, object] = {}
    for column in fields(row):
        value = getattr(row, column.name)
        if isinstance(value, Estimate):
            for part in fields(value):
                name = column.name if part.name == "value" else f"{column.name}_{part.name}"
                flat[name] = getattr(value, part.name)
        else:
            flat[column.name] = value
    return flat
