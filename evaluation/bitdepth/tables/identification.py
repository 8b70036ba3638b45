"""Detection costs, and what the nearest recordings tell, of every condition."""

from evaluation.bitdepth.tables.columns import FORMAT, cells, columns, metrics_of, notes
from evaluation.bitdepth.tables.told import Told
from evaluation.page.cells import BOUNDS
from evaluation.page.table import Table


def identification(told: Told) -> Table:
    """Return detection costs and rates of identification of every condition."""
    study, metrics = told.study, metrics_of("identification")
    return Table(
        slug=f"{study.name}-identification",
        caption="Detection cost and identification",
        columns=[FORMAT, *columns(metrics, study.float32)],
        rows=[[result.condition.label, *cells(metrics, result)] for result in study.results],
        note=f"{notes(metrics, study.float32)}. {BOUNDS}, of those who are looked for.",
    )
