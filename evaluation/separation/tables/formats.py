"""The metrics of a model in every format, and their differences from float32."""

from evaluation.page.cells import BOUNDS, change_cell, value_cell
from evaluation.page.notation import count
from evaluation.page.table import Cell, Column, Content, Table
from evaluation.separation.metrics import METRICS
from evaluation.separation.study import SeparationStudy, Space
from evaluation.separation.tables.told import Told


def by_cosine(told: Told) -> Table:
    """Return a model's metrics of cosine distances in every format."""
    return _formats(told.studies[0], Space.COSINE)


def on_maps(told: Told) -> Table:
    """Return a model's metrics of distances on maps in every format that has one."""
    return _formats(told.studies[0], Space.MAP)


def _formats(study: SeparationStudy, space: Space) -> Table:
    columns = [Column(heading="stored as"), Column(heading="bits")]
    for metric in METRICS:
        columns += [
            Column(heading=metric.heading, show=metric.show, interval=True),
            Column(
                heading=f"{metric.heading} against float32",
                name=f"{metric.name}_change",
                show=metric.show_change,
                interval=True,
            ),
        ]
    rows: list[list[Content]] = []
    for result in study.results:
        if result.step.space is not space:
            continue
        row, condition = result.row, result.step.condition
        rows.append([condition.label, row.bits])
        for metric in METRICS:
            change = Cell(value=None) if condition.is_float32 else change_cell(row[metric])
            rows[-1] += [value_cell(row[metric]), change]
        rows[-1].append(row.zero_rows)
    base = study.float32(space).row
    return Table(
        slug=f"{study.embeddings.name}-{space.value}",
        caption="Euclidean distances on the map" if space is Space.MAP else "Cosine distances",
        columns=[*columns, Column(heading="zero vectors", show=count)],
        rows=rows,
        note=f"n = {base.vectors:,} vectors of {base.speakers:,} speakers. {BOUNDS}; those of a "
        "difference are of the same draws on both sides. Zero vectors: stored without any value "
        "but 0; their cosine distance to everything is 1, so that CCR does not count them.",
    )
