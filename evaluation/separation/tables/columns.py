"""Metrics of both spaces as columns of tables."""

from collections.abc import Iterable, Sequence

from evaluation.page.table import Column
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.study import Space


def metric_columns(
    metrics: Sequence[StepMetric], *, interval: bool, spaces: Iterable[Space] = Space
) -> list[Column]:
    """Return the columns of metrics by cosine distances, then by those on a map."""
    return [
        Column(
            heading=heading(space, metric),
            show=metric.show,
            interval=interval,
            best=metric.better,
        )
        for space in spaces
        for metric in metrics
    ]


def heading(space: Space, metric: StepMetric) -> str:
    """Return what a metric in a space is called."""
    return f"{space.distance} {metric.heading}"
