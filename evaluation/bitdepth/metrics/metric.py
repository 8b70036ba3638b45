"""A metric of the bit-depth study: also where it stands in the report and in the terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from evaluation.bitdepth.measurement import Measured
from evaluation.bitdepth.rows import ConditionRow
from evaluation.page.metric import Metric, V


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionMetric(Metric[Measured, V]):
    """A metric of one condition.

    It is a column of the report's `table` of that slug, called `column` in the CSV there where its
    heading does not serve, with another column for its `change` from float32 if so said. `note`
    tells what it is, given float32's row; one note may tell of several metrics. `terminal` are its
    headings in the terminal, each with how the value is written.
    """

    table: Literal["", "errors", "decisions", "identification", "storage"] = ""
    column: str = ""
    change: bool = False
    note: Callable[[ConditionRow], str] | None = None
    terminal: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
