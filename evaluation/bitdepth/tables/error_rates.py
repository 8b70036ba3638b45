"""EER, FAR and FRR of every condition, with the verdict."""

from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.tables.columns import FORMAT, cells, columns, metrics_of, notes
from evaluation.bitdepth.tables.told import Told
from evaluation.bitdepth.verdicts import TONES, verdict
from evaluation.page.cells import BOUNDS
from evaluation.page.table import Cell, Column, Content, Table


def error_rates(told: Told) -> Table:
    """Return error rates of every condition, and their differences from float32."""
    study, base = told.study, told.study.float32
    metrics = [BYTES_PER_VECTOR, *metrics_of("errors", first=[EER])]
    rows: list[list[Content]] = []
    for result in study.results:
        judged = verdict(result.row, tolerance=told.options.tolerance)
        reference = result.condition.is_float32
        rows.append(
            [
                result.condition.label,
                *cells(metrics, result),
                "reference" if reference else Cell(value=judged.value, tone=TONES[judged]),
            ]
        )
    return Table(
        slug=f"{study.name}-errors",
        caption="Error rates",
        columns=[FORMAT, *columns(metrics, base), Column(heading="verdict", words=True)],
        rows=rows,
        note="In percent; differences from float32 in percentage points, with an arrow where the "
        "interval leaves out zero. FAR and FRR are taken at "
        f"the threshold {base.threshold:.6f} ({study.task.operating_point.words}). {BOUNDS}; "
        f"{notes(metrics, base)}.",
    )
