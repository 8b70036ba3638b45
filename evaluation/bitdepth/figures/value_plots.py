"""The figure of embedding values, as SVG text."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.page.plots import INK, NONTARGET, TARGET, percent_axis, svg
from evaluation.stored.conditions import PREPARATIONS, Preparation
from evaluation.stored.conversion import scaled

# Values in a frame are turned: what they were is not to be seen in them.
DRAWN: tuple[Preparation, ...] = ("none", "amax")
BINS = 120
SHOWN = 20_000
# Room beyond the lowest and the highest value, as a share of the distance between them.
MARGIN = 0.06
# Up to this many values each bar carries its share, in percent.
LABELLED = 16


def value_histograms(study: BitdepthStudy, format: mf.Format) -> str:
    """Return the values before and after conversion, on the format's own values.

    Where there are many vectors, SHOWN of them, spread over all, stand for all.
    """
    every = study.task.embeddings.rows
    rows = every[:: -(-len(every) // SHOWN)]
    grid = np.unique(format.values[np.isfinite(format.values)])

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2 * len(DRAWN), 1)
        for place, prepared in enumerate(DRAWN):
            words = PREPARATIONS[prepared]
            values = rows if prepared == "none" else scaled(rows, format)
            before, after = axes[2 * place : 2 * place + 2]
            stored = mf.round(values, format)
            low = float(min(values.min(), stored.min()))
            high = float(max(values.max(), stored.max()))
            margin = MARGIN * (high - low) or 1.0
            limits = (low - margin, high + margin)
            _before(before, values, grid[(grid >= limits[0]) & (grid <= limits[1])], limits)
            _after(after, stored, limits)
            before.set_title(f"float32, {words}")
            after.set_title(f"{format.name.upper()}, {words}")
        axes[-1].set_xlabel("value")
        figure.supylabel("share of values", fontsize=10, color=INK)

    return svg(f"{study.name} values", 5.8, draw)


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
    if first > 2 * second > 0:
        axis.set_ylim(0, 1.6 * second)
        spike = edges[np.argmax(shares)]
        left = spike < sum(limits) / 2
        axis.annotate(
            f"{100 * first:.0f} % of values in this bar",
            (spike, 1.6 * second),
            xytext=(10 if left else -10, -12),
            textcoords="offset points",
            ha="left" if left else "right",
        )
    _finish(axis, limits)


def _after(axis: Axes, values: NDArray[np.float32], limits: tuple[float, float]) -> None:
    places, counts = np.unique(values, return_counts=True)
    shares = counts / values.size
    axis.vlines(places, 0, shares, color=NONTARGET, linewidth=3.5 if len(places) < 40 else 1)
    if len(places) <= LABELLED:
        for place, share in zip(places, shares, strict=True):
            text = f"{100 * share:.0f}" if share >= 0.005 else ""
            axis.text(place, 1.01 * share, text, ha="center", va="bottom", fontsize=8)
    axis.set_ylim(0, 1.25 * shares.max())
    _finish(axis, limits)


def _finish(axis: Axes, limits: tuple[float, float]) -> None:
    axis.set_xlim(*limits)
    axis.grid(False, axis="x")
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_locator(MaxNLocator(3))
    axis.yaxis.set_major_formatter(percent_axis())
