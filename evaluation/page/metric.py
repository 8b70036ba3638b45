"""Metrics: what a study measures, how readers see it, and rows of what was found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, overload

from evaluation.page.notation import signed
from evaluation.statistics.estimates import Estimate, Number, estimate

M = TypeVar("M")
V = TypeVar("V", Number, int, float)
# What is found, and what a row holds of it: a number with draws becomes an estimate.
Found = Number | int | float
Value = Estimate | int | float


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric(Generic[M, V]):
    """A metric: `measure` makes a value of what was measured, a `Number` if it is an estimate.

    `name` is its column of metrics.csv, `heading` what readers see. `show` writes a value,
    `show_change` a difference from float32. `better` tells which values are good, where some are.
    """

    name: str
    heading: str
    measure: Callable[[M], V]
    show: Callable[[Any], str] = str
    show_change: Callable[[float], str] = signed
    better: Literal["", "low", "high"] = ""


class MeasuredRow:
    """The base of rows whose `values`, by the names of metrics, are taken as `row[METRIC]`."""

    values: Mapping[str, Value]

    @overload
    def __getitem__(self, metric: Metric[Any, Number]) -> Estimate: ...
    @overload
    def __getitem__(self, metric: Metric[Any, int]) -> int: ...
    @overload
    def __getitem__(self, metric: Metric[Any, float]) -> float: ...
    def __getitem__(self, metric: Metric[Any, Any]) -> Value:
        return self.values[metric.name]


def measured_by(metrics: Sequence[Metric[M, Any]], measured: M) -> dict[str, Found]:
    """Return what each metric finds, by its name."""
    return {metric.name: metric.measure(measured) for metric in metrics}


def compared(found: Mapping[str, Found], of_float32: Mapping[str, Found]) -> dict[str, Value]:
    """Return what a row holds: numbers with their intervals and their differences from float32."""
    values: dict[str, Value] = {}
    for name, one in found.items():
        if isinstance(one, Number):
            reference = of_float32[name]
            assert isinstance(reference, Number)
            values[name] = estimate(one, reference)
        else:
            values[name] = one
    return values
