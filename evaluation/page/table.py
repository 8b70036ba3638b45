"""Tables: values for those who compute with them, texts for those who read them."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from evaluation.command.errors import InputError
from evaluation.files.formulas import guarded

Value = str | int | float | None
Tone = Literal["", "good", "fair", "poor"]


def anchor_of(slug: str) -> str:
    """Return the slug as an id that links and SVG references can name."""
    return quote(slug, safe="").replace("%", "_")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its heading, how a value is shown, and what it is called in the CSV.

    Cells of a column with `interval` have a low and a high end, which take two more columns of the
    CSV, `name_low` and `name_high`. `best` has the lowest or the highest value of the column
    marked. `words` are aligned left.
    """

    heading: str
    show: Callable[[Any], str] = str
    name: str = ""
    interval: bool = False
    words: bool = False
    best: Literal["", "low", "high"] = ""

    @property
    def names(self) -> list[str]:
        """What the column is called in the CSV, without blanks or signs."""
        name = self.name or re.sub(r"\W+", "_", self.heading.lower()).strip("_")
        return [name, f"{name}_low", f"{name}_high"] if self.interval else [name]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value with what else is to be seen of it; a value without such stands for itself.

    `low` and `high` bound its interval, `small` is a second line in their place, `mark` follows
    the value, as an arrow does. `tone` colours the mark, or words, which then look like a label.
    """

    value: Value
    low: float | None = None
    high: float | None = None
    small: str = ""
    mark: str = ""
    tone: Tone = ""


# What a row holds for each column.
Content = Value | Cell


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a page.

    `slug` names its CSV file and is unique on the page. `note` tells n, what the interval is, and
    how the numbers were made. The first column names the rows.
    """

    slug: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Content]]
    note: str
    brief: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"table {self.slug}: a row must have {len(self.columns)} cells; got {len(row)}"
                )

    @cached_property
    def cells(self) -> list[list[Cell]]:
        """The rows, every value a cell."""
        return [
            [one if isinstance(one, Cell) else Cell(value=one) for one in row] for row in self.rows
        ]

    @property
    def anchor(self) -> str:
        """The table's id on the page."""
        return anchor_of(self.slug)

    def text(self, column: int, cell: Cell) -> str:
        """Return what readers see of a value: nothing for none, a dash for what is no number."""
        if cell.value is None:
            return ""
        if isinstance(cell.value, float) and math.isnan(cell.value):
            return "\N{EN DASH}"
        return self.columns[column].show(cell.value)

    def small(self, column: int, cell: Cell) -> str:
        """Return the second line of a cell: its interval, or what it says there."""
        if cell.low is None or cell.high is None:
            return cell.small
        if math.isnan(cell.low) or math.isnan(cell.high):
            return "no interval"
        show = self.columns[column].show
        return f"{show(cell.low)} to {show(cell.high)}"

    def is_best(self, column: int, cell: Cell) -> bool:
        """Whether a cell has the best value of its column, as shown, where one is to be marked."""
        best = self.columns[column].best
        numbers = [
            row[column].value
            for row in self.cells
            if isinstance(row[column].value, int | float) and row[column].value == row[column].value
        ]
        if not best or len(numbers) < 2 or not isinstance(cell.value, int | float):
            return False
        chosen = min(numbers) if best == "low" else max(numbers)  # type: ignore[type-var]
        return self.text(column, cell) == self.text(column, Cell(value=chosen))

    def values(self, column: int, cell: Cell) -> list[Value]:
        """Return what a cell puts into the CSV: one value, or three with an interval."""
        found = [cell.value, cell.low, cell.high] if self.columns[column].interval else [cell.value]
        return [_plain(one) for one in found]

    def packed(self, column: int, cell: Cell) -> str:
        """Return the values of a cell as the page's script reads them."""
        return json.dumps(self.values(column, cell))

    def csv(self) -> str:
        """Return the table as CSV, every value in full."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([name for column in self.columns for name in column.names])
        for row in self.cells:
            writer.writerow([value for i, cell in enumerate(row) for value in self.values(i, cell)])
        return text.getvalue()


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        # Where a table is pasted, a tab or the end of a line begins another cell.
        return guarded(re.sub(r"\s", " ", value))
    return None if isinstance(value, float) and math.isnan(value) else value
