"""The numbers of studies as text: a table for the terminal and a CSV file."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from evaluation.bitdepth.notation import percent, rare, shift, signed
from evaluation.bitdepth.rows import Row
from evaluation.bitdepth.study import ModelStudy
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import verdict
from evaluation.files.formulas import guarded
from evaluation.statistics.estimates import Estimate

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

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


def terminal_table(study: ModelStudy, *, tolerance: Tolerance) -> str:
    """Return a model's table, columns aligned, at most about 130 characters wide."""
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
        f"{row.model}: {row.vectors:,} vectors of {row.dim} values, {study.trials.description}: "
        f"{row.targets:,} target and {row.nontargets:,} non-target of {row.speakers} speakers\n"
        f"FAR, FRR at threshold {row.threshold:.6f}; change of EER in points and shift of its "
        "threshold against float32;\n"
        "bytes of a vector and MiB of all; values that overflow (over) and that become zero\n"
        f"{text}"
    )


def _cells(row: Row) -> list[str]:
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


def csv_text(rows: "Sequence[DataclassInstance]") -> str:
    """Return rows, at least one, as CSV; an estimate takes a column for each of its numbers."""
    buffer = io.StringIO(newline="")
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(buffer, fieldnames=list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return buffer.getvalue()


def _flat(row: "DataclassInstance") -> dict[str, object]:
    flat: dict[str, object] = {}
    for column in fields(row):
        value = getattr(row, column.name)
        if isinstance(value, Estimate):
            flat |= _parts(column.name, value)
        elif isinstance(value, Mapping):
            for prior, estimate in value.items():
                flat |= _parts(f"{column.name}_{prior}", estimate)
        else:
            flat[column.name] = guarded(value) if isinstance(value, str) else value
    return flat


def _parts(name: str, estimate: Estimate) -> dict[str, object]:
    parts = {field.name: getattr(estimate, field.name) for field in fields(estimate)}
    return {name if part == "value" else f"{name}_{part}": one for part, one in parts.items()}
