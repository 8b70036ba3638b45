"""Our rates beside those of the published study."""

from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.published import published_rates
from evaluation.bitdepth.tables.columns import FORMAT
from evaluation.bitdepth.tables.told import Told
from evaluation.page.cells import BOUNDS, value_cell
from evaluation.page.notation import percent
from evaluation.page.table import Column, Content, Table


def against_published(told: Told) -> Table | None:
    """Return our rates beside those of the published model, None where it has none of the list."""
    study = told.study
    row, model = study.float32, study.task.published
    rates = published_rates(model, row.targets + row.nontargets) if model else {}
    if not rates:
        return None
    rows: list[list[Content]] = []
    for result in study.results:
        found = rates.get(result.condition.name)
        if found is not None and result.condition.prepared == "none":
            far, frr = result.row[FAR], result.row[FRR]
            rows.append(
                [result.condition.label, value_cell(far), found[0], value_cell(frr), found[1]]
            )
    return Table(
        slug=f"{study.name}-published",
        caption=f"Beside the published rates of {model}",
        columns=[
            FORMAT,
            Column(heading="FAR", show=percent, interval=True),
            Column(heading="FAR published", show=percent),
            Column(heading="FRR", show=percent, interval=True),
            Column(heading="FRR published", show=percent),
        ],
        rows=rows,
        note=f"In percent, as they are, at {row.threshold:.6f}; {row.trials}; n = "
        f"{row.nontargets:,} and {row.targets:,}. {BOUNDS}. Published: Kolmakov and Golubinskiy, "
        "2026, tables 2 to 4.",
    )
