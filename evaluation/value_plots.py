"""The figure of embedding values, as SVG text."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth import ModelStudy
from evaluation.conditions import scaled
from evaluation.plots import INK, NONTARGET, SCALES, TARGET, percent_axis, svg

BINS = 120
# Room beyond the lowest and the highest value, in units of value.
MARGIN = 0.26
# Up to this many values each bar carries its share, in percent.
LABELLED = 16


def value_histograms(study: ModelStudy, format: mf.Format) -> str:
    """Return the values before and after conversion, on the format's own values."""
    rows = study.embeddings.rows
    grid = np.unique(format.values[np.isfinite(format.values)])

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, 2)
        for column, (scale, words) in enumerate(SCALES.items()):
            values = rows if scale == "none" else scaled(rows, format)
            before, after = axes[:, column]
            low, high = float(values.min()), float(values.max())
            reach = grid[(grid >= low - MARGIN) & (grid <= high + MARGIN)]
            limits = (min(low, reach[0]) - MARGIN, max(high, reach[-1]) + MARGIN)
            _before(before, values, reach, limits)
            _after(after, mf.round(values, format), limits)
            before.set_title(f"float32, {words}")
            after.set_title(f"{format.name.upper()}, {words}")
            after.set_xlabel("value")
        for axis in axes[:, 0]:
            axis.set_ylabel("share of values")

    return svg(f"{study.embeddings.name} values", (7.4, 5.0), draw)


def _before(
    axis: Axes,
    values: NDArray[np.float32],
    grid: NDArray[np.float32],
    limits: tuple[float, float],
) -> None:
    counts, edges = np.histogram(values, bins=BINS, range=limits)
    shares = counts / values.size
    axis.stairs(shares, edges, fill=True, color=TARGET, alpha=0.75)
    for value in grid:
        axis.axvline(float(value), color=INK, linewidth=0.6, linestyle=":")
    # One spike, as ReLU leaves at zero, would flatten all the rest.
    first, second = np.sort(shares)[::-1][:2]
    if first > 2 * second:
        axis.set_ylim(0, 1.6 * second)
        spike = edges[np.argmax(shares)]
        axis.annotate(
            f"{100 * first:.0f} % here",
            (spike, 1.6 * second),
            xytext=(10, -12),
            textcoords="offset points",
        )
    axis.set_xlim(*limits)
    axis.yaxis.set_major_formatter(percent_axis())


def _after(axis: Axes, values: NDArray[np.float32], limits: tuple[float, float]) -> None:
    places, counts = np.unique(values, return_counts=True)
    shares = counts / values.size
    axis.vlines(places, 0, shares, color=NONTARGET, linewidth=3.5 if len(places) < 40 else 1)
    if len(places) <= LABELLED:
        for place, share in zip(places, shares, strict=True):
            text = f"{100 * share:.0f}" if share >= 0.005 else ""
            axis.text(place, 1.01 * share, text, ha="center", va="bottom", fontsize=8)
    axis.set_xlim(*limits)
    axis.set_ylim(0, 1.12 * shares.max())
    axis.yaxis.set_major_formatter(percent_axis())
