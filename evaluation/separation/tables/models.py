"""The models side by side."""

from evaluation.page.cells import BOUNDS, value_cell
from evaluation.page.notation import count
from evaluation.page.table import Column, Content, Table
from evaluation.separation.metrics import METRICS
from evaluation.separation.study import Space
from evaluation.separation.tables.columns import metric_columns
from evaluation.separation.tables.told import Told


def models(told: Told) -> Table:
    """Return the metrics of each model in float32, the best of each marked."""
    rows: list[list[Content]] = []
    for study in told.studies:
        row = study.float32(Space.COSINE).row
        rows.append([row.model])
        for space in Space:
            found = study.float32(space).row
            rows[-1] += [value_cell(found[metric]) for metric in METRICS]
        rows[-1] += [row.vectors, row.speakers, row.dim]
    return Table(
        slug="models",
        caption="Models, in float32",
        columns=[
            Column(heading="model"),
            *metric_columns(METRICS, interval=True),
            Column(heading="vectors", show=count),
            Column(heading="speakers", show=count),
            Column(heading="values of a vector", name="dim"),
        ],
        rows=rows,
        note="The best of each column is bold. OIIDD and the silhouette are taken over all "
        f"vectors, CCR counts them. {BOUNDS}; n is the number of vectors, of as many speakers "
        "as the table says. Centroids include the vector that is compared with them.",
    )
