"""Figures of scores and error rates, each a function that returns SVG text."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.study import FIGURE_BINS, BitdepthStudy, ConditionResult
from evaluation.page.notation import percent
from evaluation.page.plots import INK, NONTARGET, TARGET, percent_axis, svg
from evaluation.stored.conditions import PREPARATIONS

# Bins of a violin over all scores: normalised ones fill less of their reach than cosines.
VIOLIN_BINS, VIOLIN_BINS_NORMALISED = 256, 1024
# The lowest error rate shown: 0.01 %.
LOWEST = 1e-4


def violins(study: BitdepthStudy) -> str:
    """Distributions of target and non-target scores, a line for each condition."""
    panels = {
        f"vectors {words}": [
            r for r in study.results if r.condition.is_float32 or r.condition.prepared == prepared
        ]
        for prepared, words in PREPARATIONS.items()
        if prepared != "maximum"
    }
    panels = {title: results for title, results in panels.items() if len(results) > 1}
    heights = [len(results) + 1 for results in panels.values()]

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights)
        for axis, (title, results) in zip(axes, panels.items(), strict=True):
            _violin_panel(axis, results)
            axis.set_title(title)
        axes[-1].set_xlabel("cosine score" if study.task.cohort is None else "normalised score")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)

    return svg(f"{study.name} violins", 0.55 * sum(heights) + 1.2, draw)


def _violin_panel(axis: Axes, results: list[ConditionResult]) -> None:
    kinds = (("different speakers", NONTARGET), ("one speaker", TARGET))
    bins = VIOLIN_BINS if results[0].scores.reach == 1 else VIOLIN_BINS_NORMALISED
    for place, result in enumerate(results):
        counts = (result.scores.nontargets, result.scores.targets)
        reach = result.scores.reach
        for (label, colour), parts in zip(kinds, counts, strict=True):
            density = parts.reshape(bins, -1).sum(axis=1)
            shown = np.flatnonzero(density)
            span = slice(max(0, shown[0] - 1), shown[-1] + 2)
            centres = reach * ((np.arange(bins) + 0.5) * 2 / bins - 1)
            half = 0.42 * density[span] / density.max()
            axis.fill_between(
                centres[span],
                place - half,
                place + half,
                color=colour,
                alpha=0.75,
                linewidth=0,
                label=label if place == 0 else None,
            )
            cumulated = np.cumsum(parts) / parts.sum()
            median = reach * ((np.searchsorted(cumulated, 0.5) + 0.5) * 2 / FIGURE_BINS - 1)
            axis.plot([median] * 2, [place - 0.3, place + 0.3], color=INK, linewidth=1)
    threshold = results[0].row.threshold
    axis.axvline(
        threshold, color=INK, linewidth=1, linestyle="--", label=f"threshold {threshold:.3f}"
    )
    axis.set_yticks(range(len(results)), [r.condition.label for r in results])
    axis.set_ylim(len(results) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(False, axis="y")


def threshold_curves(study: BitdepthStudy, format: mf.Format) -> str:
    """FAR and FRR against the threshold: float32, and the format by how vectors are prepared."""
    of_format = {
        result.condition.prepared: result
        for result in study.results
        if result.condition.format == format and result.condition.is_offered
    }
    reference = study.results[0]
    shown = _threshold_range(list(study.results), format)

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(of_format), 1, sharex=True, sharey=True)
        for axis, (prepared, result) in zip(axes, of_format.items(), strict=True):
            _curves(axis, reference, dashed=True)
            _curves(axis, result, dashed=False)
            _mark_threshold(axis, result)
            axis.set_title(f"{format.name.upper()}, {PREPARATIONS[prepared]}")
            axis.set_yscale("log")
            axis.set_ylim(LOWEST, 1.3)
            axis.yaxis.set_major_formatter(percent_axis())
            axis.yaxis.set_minor_locator(NullLocator())
            axis.set_xlim(*shown)
        axes[-1].set_xlabel("threshold")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

    return svg(f"{study.name} thresholds", 2.4 * len(of_format), draw)


def false_rates(result: ConditionResult) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FAR and FRR with the threshold at the lower edge of each of the FIGURE_BINS bins."""
    scores = result.scores
    far = np.cumsum(scores.nontargets[::-1])[::-1] / scores.nontargets.sum()
    frr = (np.cumsum(scores.targets) - scores.targets) / scores.targets.sum()
    return far, frr


def bin_edges(result: ConditionResult) -> NDArray[np.float64]:
    """Lower edges of the FIGURE_BINS bins."""
    return np.asarray(result.scores.reach * (np.arange(FIGURE_BINS) * 2 / FIGURE_BINS - 1))


def _threshold_range(results: list[ConditionResult], format: mf.Format) -> tuple[float, float]:
    """From where one in five non-target scores is accepted to where nearly no target is."""
    ends = []
    for result in results:
        if result.condition.is_float32 or result.condition.format == format:
            far, frr = false_rates(result)
            edges = bin_edges(result)
            ends += [edges[np.argmax(far < 0.2)], edges[np.searchsorted(frr, 0.98) - 1]]
    margin = 0.02 * results[0].scores.reach
    return min(ends) - margin, max(ends) + margin


def _curves(axis: Axes, result: ConditionResult, *, dashed: bool) -> None:
    edges = bin_edges(result)
    for name, colour, rate in zip(
        ("FAR", "FRR"), (NONTARGET, TARGET), false_rates(result), strict=True
    ):
        format = "float32" if dashed else result.condition.name.upper()
        axis.plot(
            edges,
            np.where(rate > 0, rate, np.nan),
            color=colour,
            linewidth=1.3 if dashed else 2.2,
            linestyle="--" if dashed else "-",
            label=f"{name}, {format}",
        )


def _mark_threshold(axis: Axes, result: ConditionResult) -> None:
    row = result.row
    axis.axvline(row.threshold, color=INK, linewidth=1, linestyle=":")
    for estimate, colour in ((row[FAR], NONTARGET), (row[FRR], TARGET)):
        axis.plot([row.threshold], [max(estimate.value, LOWEST)], "o", color=colour, markersize=6)
    # Above the axes, where no curve runs; beside the points the words would lie on the curves.
    axis.set_title(
        f"FAR {percent(row[FAR].value)} %, FRR {percent(row[FRR].value)} % at {row.threshold:.3f}",
        loc="right",
        fontweight="normal",
    )
