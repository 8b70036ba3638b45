"""Figures of what a format changes: detection error curves, and the four counts."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from evaluation.bitdepth.figures.score_plots import false_rates
from evaluation.bitdepth.metrics.counts import FN, FP, TN, TP
from evaluation.bitdepth.study import BitdepthStudy, ConditionResult
from evaluation.page.plots import INK, NONTARGET, TARGET, percent_axis, svg
from evaluation.stored.conditions import PREPARATIONS, Preparation

# Labels of both axes of a detection error figure, and how far these go.
TICKS = (0.0001, 0.001, 0.01, 0.05, 0.2, 0.4)
LIMITS = (0.00005, 0.5)
# Bits of a value to the colour of its lines; colours that are told apart in light and dark.
COLOURS = {8: TARGET, 6: "#2f9e6e", 4: NONTARGET}
DASHES = ("-", "--", ":")


def det_curves(study: BitdepthStudy) -> str:
    """FRR against FAR on normal deviates, a line for each format, by how vectors are prepared."""
    shown = {words: _shown(study, prepared) for prepared, words in PREPARATIONS.items()}
    shown = {words: results for words, results in shown.items() if results}

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(shown), 1, sharex=True)
        for axis, (words, results) in zip(axes, shown.items(), strict=True):
            _det_axis(axis)
            seen: dict[int, int] = {}
            for result in results:
                bits = result.condition.bits
                place = seen[bits] = seen.get(bits, -1) + 1
                _det_line(axis, result, COLOURS.get(bits, "#8a63c9"), DASHES[place % len(DASHES)])
            _det_line(axis, study.results[0], INK, "-")
            axis.set_title(words)
            axis.set_ylabel("FRR")
        axes[-1].set_xlabel("FAR")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=4)

    return svg(f"{study.name} det", 3.6 * len(shown), draw)


def _shown(study: BitdepthStudy, prepared: Preparation) -> list[ConditionResult]:
    return [
        result
        for result in study.results
        if result.condition.is_offered and result.condition.prepared == prepared
    ]


def _det_axis(axis: Axes) -> None:
    axis.set_xscale("function", functions=(_deviate, _share))
    axis.set_yscale("function", functions=(_deviate, _share))
    axis.set_xlim(*LIMITS)
    axis.set_ylim(*LIMITS)
    for one in axis.xaxis, axis.yaxis:
        one.set_major_locator(FixedLocator(TICKS))
        one.set_minor_locator(NullLocator())
        one.set_major_formatter(percent_axis())
    axis.plot(LIMITS, LIMITS, color=INK, linewidth=0.5, linestyle=":")


def _deviate(share: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    return np.asarray(torch.special.ndtri(torch.from_numpy(inside)).numpy())


def _share(deviate: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(torch.special.ndtr(torch.from_numpy(np.asarray(deviate))).numpy())


def _det_line(axis: Axes, result: ConditionResult, colour: str, dashes: str) -> None:
    far, frr = false_rates(result)
    low, high = LIMITS
    # What lies far outside would draw a line along the edge.
    inside = (far > low / 4) & (frr > low / 4) & (far < 2 * high) & (frr < 2 * high)
    axis.plot(
        far[inside],
        frr[inside],
        color=colour,
        linestyle=dashes,
        linewidth=1.2,
        label=result.condition.label.removesuffix(" scaled"),
    )


def four_counts(study: BitdepthStudy) -> str:
    """TP, FN, FP and TN of every condition, a panel for each count, float32's as a line."""
    kinds = {TP: TARGET, FN: TARGET, FP: NONTARGET, TN: NONTARGET}
    labels = [result.condition.label for result in study.results]
    places = np.arange(len(labels))

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, 2, sharey=True)
        for axis, (metric, colour) in zip(axes.flat, kinds.items(), strict=True):
            counts = np.array([result.row[metric] for result in study.results])
            axis.barh(places, counts, color=colour, alpha=0.75, height=0.7)
            axis.axvline(counts[0], color=INK, linewidth=1, linestyle="--")
            axis.set_title(metric.heading)
            axis.set_yticks(places, labels)
            axis.set_ylim(len(labels) - 0.4, -0.6)
            axis.tick_params(axis="y", length=0, labelsize=8)
            axis.tick_params(axis="x", labelsize=8)
            axis.grid(False, axis="y")
            axis.xaxis.set_major_locator(MaxNLocator(3))
            axis.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5))

    return svg(f"{study.name} counts", 0.32 * len(labels) + 1.6, draw)
