"""The metrics of all models in every format, as SVG text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.page.plots import label, svg
from evaluation.separation.figures.map_plots import COLOURS, SHAPES
from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.study import SeparationStudy, Space

# Between the marks of different models in one format.
APART = 0.16


def metrics_by_format(studies: Sequence[SeparationStudy]) -> str:
    """Return a panel for each metric of cosine distances, with intervals."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(METRICS), 1, sharex=True)
        for axis, metric in zip(axes, METRICS, strict=True):
            _panel(axis, studies, metric)
        labels = [
            result.step.condition.label
            for result in studies[0].results
            if result.step.space is Space.COSINE
        ]
        axes[-1].set_xticks(range(len(labels)), labels, rotation=90)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)

    names = " ".join(study.embeddings.name for study in studies)
    return svg(f"{names} metrics by format", 2 * len(METRICS) + 0.4, draw)


def _panel(axis: Axes, studies: Sequence[SeparationStudy], metric: StepMetric) -> None:
    for place, study in enumerate(studies):
        estimates = [
            result.row[metric] for result in study.results if result.step.space is Space.COSINE
        ]
        values = np.array([one.value for one in estimates])
        axis.errorbar(
            np.arange(len(values)) + APART * (place - (len(studies) - 1) / 2),
            values,
            # An interval may lie all on one side of the value: then there is no bar on the other.
            yerr=[
                [max(one.value - one.low, 0) for one in estimates],
                [max(one.high - one.value, 0) for one in estimates],
            ],
            fmt=SHAPES[place % len(SHAPES)],
            markersize=4,
            linewidth=1,
            color=COLOURS[place % len(COLOURS)],
            label=label(study.embeddings.name),
        )
    axis.set_title(f"{metric.heading}, {metric.better}er is better")
    axis.margins(y=0.1)
    if metric.never_negative:
        axis.set_ylim(bottom=0)
