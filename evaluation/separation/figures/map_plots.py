"""Maps of speakers as SVG text: all rows in grey, some speakers in colour, or the first alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.embeddings.embeddings import Embeddings
from evaluation.page.plots import MUTED, WIDTH, label, svg
from evaluation.separation.study import StepResult

# As many as can be told apart, each by a colour and a shape.
COLOURS = (
    *("#2f81d8", "#d97328", "#2e9d5b", "#c94f7c", "#8a63d2"),
    *("#a08a1f", "#1f9aa8", "#d0453b", "#7a8794", "#9c6b3f"),
)
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
# Points of all rows are an image: as shapes, tens of thousands of them would be megabytes.
IMAGE_DPI = 200
# Speakers on the map of the published study.
FIRST = 30
# Letters of a name for which there is room.
LETTERS = 13


def speaker_maps(embeddings: Embeddings, results: Sequence[StepResult]) -> str:
    """Return the maps of results that have one, below each other."""
    panels = [result for result in results if result.points is not None]
    shown = shown_speakers(embeddings)

    def draw(figure: Figure) -> None:
        figure.set_dpi(IMAGE_DPI)
        axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axis, result in zip(axes, panels, strict=True):
            _draw_rows(axis, result)
            _draw_speakers(axis, embeddings, result, shown)
        _legend(figure, axes[0], "some of the speakers")

    labels = " ".join(result.step.condition.label for result in panels)
    return svg(f"{embeddings.name} map {labels}", 0.86 * WIDTH * len(panels) + 0.7, draw)


def first_speakers_map(embeddings: Embeddings, result: StepResult) -> str:
    """Return a map of the first speakers of the file alone."""
    shown = first_speakers(embeddings)

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        _draw_speakers(axis, embeddings, result, shown)
        _legend(figure, axis, "the first speakers of the file")

    label = f"{embeddings.name} map of the first {result.step.condition.label}"
    return svg(label, 0.86 * WIDTH + 0.7 + 0.05 * len(shown), draw)


def first_speakers(embeddings: Embeddings) -> list[int]:
    """Return the speakers whose rows come first in the file, as many as the study's map has."""
    rows = np.arange(len(embeddings)) if embeddings.file_row is None else embeddings.file_row
    first = np.full(len(embeddings.speaker_names), len(rows))
    np.minimum.at(first, embeddings.speaker, rows)
    return [int(speaker) for speaker in np.argsort(first)[:FIRST]]


def shown_speakers(embeddings: Embeddings) -> list[int]:
    """Return the speakers in colour, evenly spread over their names in order."""
    last = len(embeddings.speaker_names) - 1
    return sorted({round(place) for place in np.linspace(0, last, len(COLOURS))})


def _draw_rows(axis: Axes, result: StepResult) -> None:
    assert result.points is not None
    x, y = result.points.T
    axis.scatter(x, y, s=4, color=MUTED, alpha=0.3, linewidths=0, rasterized=True)


def _draw_speakers(
    axis: Axes, embeddings: Embeddings, result: StepResult, shown: Sequence[int]
) -> None:
    assert result.points is not None
    x, y = result.points.T
    for place, speaker in enumerate(shown):
        # A second round of colours has other shapes.
        turn, colour = divmod(place, len(COLOURS))
        rows = embeddings.speaker == speaker
        axis.scatter(
            x[rows],
            y[rows],
            s=16,
            color=COLOURS[colour],
            marker=SHAPES[(colour + 3 * turn) % len(SHAPES)],
            linewidths=0,
            label=_label(embeddings.speaker_names[speaker]),
        )
    axis.set_title(result.step.condition.label)
    # Only nearness means something on a map: neither its directions nor its numbers do.
    axis.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    axis.spines[["left", "bottom"]].set_visible(False)


def _legend(figure: Figure, axis: Axes, title: str) -> None:
    figure.legend(
        *axis.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        title=title,
        fontsize=8,
        handletextpad=0.1,
        columnspacing=0.8,
    )


def _label(name: str) -> str:
    short = name if len(name) <= LETTERS else name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return label(short)
