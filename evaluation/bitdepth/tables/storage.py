"""What storing does to the values of every condition, and how much it takes."""

from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.tables.columns import FORMAT, cells, columns, metrics_of, notes
from evaluation.bitdepth.tables.told import Told
from evaluation.page.table import Column, Table

MILLION = 1_000_000


def storage(told: Told) -> Table:
    """Return what becomes of values, and bytes, of every condition."""
    study, metrics = told.study, metrics_of("storage")
    return Table(
        slug=f"{study.name}-storage",
        caption="Values and storage",
        columns=[
            FORMAT,
            *columns(metrics, study.float32),
            Column(heading="MiB of a million", show=lambda mib: f"{mib:.2f}"),
        ],
        rows=[
            [
                result.condition.label,
                *cells(metrics, result),
                MILLION * result.row[BYTES_PER_VECTOR] / 2**20,
            ]
            for result in study.results
        ],
        note=f"{notes(metrics, study.float32)}; MiB of a million vectors is the codes alone. These "
        "are counts: they have no interval.",
    )
