"""Rows of numbers as a CSV file."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from evaluation.files.formulas import guarded
from evaluation.page.metric import Value
from evaluation.statistics.estimates import Estimate

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def csv_text(rows: "Sequence[DataclassInstance]") -> str:
    """Return rows, at least one, as CSV.

    A mapping takes a column for each of its values, and an estimate one for each of its numbers.
    """
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
        if isinstance(value, Mapping):
            for name, one in value.items():
                flat |= _parts(name, one)
        else:
            flat[column.name] = guarded(value) if isinstance(value, str) else value
    return flat


def _parts(name: str, value: Value) -> dict[str, object]:
    if not isinstance(value, Estimate):
        return {name: value}
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name if part == "value" else f"{name}_{part}": one for part, one in parts.items()}
