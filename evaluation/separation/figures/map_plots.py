"""Maps of speakers as SVG text: all rows in grey, some speakers in colour."""

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
# Letters of a name for which there is room.
LETTERS = 13


def speaker_maps(embeddings: Embeddings, results: Sequence[StepResult]) -> str:
    """Return the maps of results that have one, below each other."""
    panels = [result for result in results if result.points is not None]

    def draw(figure: Figure) -> None:
        figure.set_dpi(IMAGE_DPI)
        axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axis, result in zip(axes, panels, strict=True):
            _panel(axis, embeddings, result)
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            title="some of the speakers",
            fontsize=8,
            handletextpad=0.1,
            columnspacing=0.8,
        )

    labels = " ".join(result.step.condition.label for result in panels)
    return svg(f"{embeddings.name} map {labels}", 0.86 * WIDTH * len(panels) + 0.7, draw)


def shown_speakers(embeddings: Embeddings) -> list[int]:
    """Return the speakers in colour, evenly spread over their names in order."""
    last = len(embeddings.speaker_names) - 1
    return sorted({round(place) for place in np.linspace(0, last, len(COLOURS))})


def _panel(axis: Axes, embeddings: Embeddings, result: StepResult) -> None:
    assert result.points is not None
    x, y = result.points.T
    axis.scatter(x, y, s=4, color=MUTED, alpha=0.3, linewidths=0, rasterized=True)
    for speaker, colour, shape in zip(shown_speakers(embeddings), COLOURS, SHAPES, strict=False):
        rows = embeddings.speaker == speaker
        axis.scatter(
            x[rows],
            y[rows],
            s=16,
            color=colour,
            marker=shape,
            linewidths=0,
            label=_label(embeddings.speaker_names[speaker]),
        )
    axis.set_title(result.step.condition.label)
    # Only nearness means something on a map: neither its directions nor its numbers do.
    axis.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    axis.spines[["left", "bottom"]].set_visible(False)


def _label(name: str) -> str:
    short = name if len(name) <= LETTERS else name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return label(short)
