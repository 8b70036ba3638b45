"""The table of the published study."""

from evaluation.page.table import Column, Content, Table
from evaluation.separation.published import DATA, PRINTED, PUBLISHED, SOURCE
from evaluation.separation.study import Space
from evaluation.separation.tables.columns import metric_columns
from evaluation.separation.tables.told import Told


def published(_: Told) -> Table:
    """Return the table of the published study."""
    rows: list[list[Content]] = [
        [line.model, *(line.value(space, metric) for space in Space for metric in PRINTED)]
        for line in PUBLISHED
    ]
    return Table(
        slug="published",
        caption="The published study's table, for comparison",
        columns=[Column(heading="model"), *metric_columns(PRINTED, interval=False)],
        rows=rows,
        note=f"{SOURCE}: {DATA}; n = 19,625, without intervals. Numbers of other recordings do not "
        "compare one by one: with more speakers the nearest other one is nearer, and bandwidths "
        "and maps may have been made otherwise.",
    )
