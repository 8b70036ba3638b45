"""Metrics as columns of tables: each with its interval, and its change from float32 if so said."""

from collections.abc import Sequence
from typing import Any

from evaluation.bitdepth.metrics import METRICS
from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import ConditionResult
from evaluation.page.cells import change_cell, value_cell
from evaluation.page.table import Cell, Column, Content, Tone
from evaluation.statistics.estimates import Estimate

Metrics = Sequence[ConditionMetric[Any]]

FORMAT = Column(heading="format")
UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


def in_order(metrics: Metrics, *, first: Metrics) -> Metrics:
    """Return `first`, then the other metrics in the order in which they are given."""
    return [*first, *(metric for metric in metrics if metric not in first)]


def metrics_of(table: str, *, first: Metrics = ()) -> Metrics:
    """Return the metrics of a table: `first`, then the others as in METRICS."""
    return in_order([metric for metric in METRICS if metric.table == table], first=first)


def columns(metrics: Metrics, row: ConditionRow) -> list[Column]:
    """Return the columns of metrics, whose values a row has."""
    found = []
    for metric in metrics:
        interval = isinstance(row[metric], Estimate)
        found.append(
            Column(heading=metric.heading, name=metric.column, show=metric.show, interval=interval)
        )
        if metric.change:
            found.append(
                Column(
                    heading=f"{metric.heading} against float32",
                    name=f"{metric.name}_change",
                    show=metric.show_change,
                    interval=True,
                )
            )
    return found


def cells(metrics: Metrics, result: ConditionResult) -> list[Content]:
    """Return what a row of the table holds in the columns of metrics."""
    found: list[Content] = []
    for metric in metrics:
        value = result.row[metric]
        found.append(value_cell(value) if isinstance(value, Estimate) else value)
        if metric.change:
            found.append(judged_change(metric, result))
    return found


def notes(metrics: Metrics, row: ConditionRow) -> str:
    """Return what the metrics are, in sentences, the last without its end."""
    return ". ".join(metric.note(row) for metric in metrics if metric.note)


def judged_change(metric: ConditionMetric[Any], result: ConditionResult) -> Cell:
    """Return the difference from float32, with an arrow where its interval leaves out zero."""
    rise, fall = _tones(metric)
    if result.condition.is_float32:
        return Cell(value=None)
    estimate: Estimate = result.row[metric]
    if estimate.change_low > 0:
        return change_cell(estimate, mark=UP, tone=rise)
    if estimate.change_high < 0:
        return change_cell(estimate, mark=DOWN, tone=fall)
    return change_cell(estimate, tone=rise)


def _tones(metric: ConditionMetric[Any]) -> tuple[Tone, Tone]:
    """Return how a rise and a fall are to be seen."""
    return ("good", "poor") if metric.better == "high" else ("poor", "good")
