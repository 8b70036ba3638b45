"""Distributions of distances as SVG text, their overlap shaded."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.page.plots import INK, NONTARGET, TARGET, svg
from evaluation.separation.study import Space, StepResult

# Distances at either end where both densities are below this share of the highest are not shown.
VISIBLE = 0.004
# The shortest distance of a logarithmic axis, as a share of the longest.
SHORTEST = 5e-4
POINTS = 400


def distance_distributions(name: str, results: Sequence[StepResult]) -> str:
    """Return the densities of the distances to the own and to the nearest other centroid."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(results), 1, squeeze=False)[:, 0]
        for axis, result in zip(axes, results, strict=True):
            _panel(axis, result)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

    labels = " ".join(f"{r.step.condition.label} {r.step.space.value}" for r in results)
    return svg(f"{name} distances {labels}", 2.1 * len(results) + 0.7, draw)


def _panel(axis: Axes, result: StepResult) -> None:
    curves = result.overlap
    x, own, other = curves.grid, curves.own, curves.other
    logarithmic = result.step.space is Space.MAP
    if logarithmic:
        x = np.geomspace(SHORTEST * x[-1], x[-1], POINTS)
        # Times the distance, a density is one of the distance's logarithm: areas stay as they are.
        own, other = (x * np.interp(x, curves.grid, density) for density in (own, other))
        axis.set_xscale("log")
    both = np.minimum(own, other)
    axis.plot(x, own, color=TARGET, linewidth=1.6, label="to the own speaker's centroid")
    axis.plot(x, other, color=NONTARGET, linewidth=1.6, label="to the nearest other centroid")
    axis.fill_between(
        x, both, color=INK, alpha=0.3, linewidth=0, label="overlap: its area is OIIDD"
    )
    for mean, colour, name in zip(curves.means, (TARGET, NONTARGET), ("own", "other"), strict=True):
        axis.axvline(
            mean, color=colour, linewidth=1, linestyle="--", label=f"mean to the {name} centroid"
        )
    high = np.flatnonzero(np.maximum(own, other) > VISIBLE * max(own.max(), other.max()))
    axis.set_xlim(x[high[0]], x[high[-1]])
    axis.set_ylim(bottom=0)
    axis.set_yticks([])
    axis.set_title(f"{result.step.condition.label}, {result.step.space.place}")
    axis.set_title(f"OIIDD {curves.area:.3f}", loc="right", fontweight="normal")
    axis.set_xlabel(
        "Euclidean distance, logarithmic" if logarithmic else "cosine distance", labelpad=1
    )
