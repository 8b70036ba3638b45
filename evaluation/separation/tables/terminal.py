"""The numbers of a study as a table for the terminal."""

from evaluation.page.notation import bracketed
from evaluation.page.text import aligned
from evaluation.separation.metrics import METRICS
from evaluation.separation.study import SeparationStudy, Space, StepResult

HEADINGS = ("stored as", "distances", *(f"{metric.heading} [95 %]" for metric in METRICS))


def terminal_table(study: SeparationStudy) -> str:
    """Return a model's table, columns aligned, at most about 90 characters wide."""
    row = study.float32(Space.COSINE).row
    lines = [[*HEADINGS], *(_cells(result) for result in study.results)]
    return (
        f"{row.model}: {row.vectors:,} vectors of {row.dim} values, {row.speakers:,} speakers\n"
        "CCR counts vectors; intervals are over draws of speakers\n"
        f"{aligned(lines, words=(0, 1))}"
    )


def _cells(result: StepResult) -> list[str]:
    cells = [result.step.condition.label, result.step.space.value]
    for metric in METRICS:
        one = result.row[metric]
        cells.append(bracketed(metric.show, one.value, one.low, one.high))
    return cells
