"""Our rates beside those of the published study."""

from evaluation.bitdepth.metrics.equal_error import EER_THRESHOLD_SHIFT
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.published import published_rates, published_shift, rates_of
from evaluation.bitdepth.tables.columns import FORMAT
from evaluation.bitdepth.tables.told import Told
from evaluation.page.cells import BOUNDS, value_cell
from evaluation.page.notation import percent
from evaluation.page.table import Column, Content, Table


def against_published(told: Told) -> Table | None:
    """Return our rates beside those of the published model, None where it has none of the list."""
    study = told.study
    row, model = study.float32, study.task.published
    if model is None:
        return None
    rates = published_rates(model, row.targets + row.nontargets)
    if not rates:
        return None
    rows: list[list[Content]] = []
    for result in study.results:
        found = rates_of(result.condition, rates)
        if found is not None:
            far, frr = result.row[FAR], result.row[FRR]
            rows.append(
                [
                    result.condition.label,
                    *(value_cell(far), found[0], value_cell(frr), found[1]),
                    result.row[EER_THRESHOLD_SHIFT],
                    published_shift(model, result.condition),
                ]
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
            Column(heading=EER_THRESHOLD_SHIFT.heading, show=EER_THRESHOLD_SHIFT.show),
            Column(heading="shift published", words=True),
        ],
        rows=rows,
        note=f"In percent, at {row.threshold:.6f}; {row.trials}; n = {row.nontargets:,} and "
        f"{row.targets:,}. {BOUNDS}. Shift: how far the threshold moves where FAR and FRR meet. "
        "Published: Kolmakov and Golubinskiy, 2026, tables 2 to 4, whose columns are the lists as "
        "VoxCeleb names them, unlike the labels of table 1: FAR rises from E over O to H, O alone "
        "has pairs of 40 speakers, and 0.035 % is no share of its pairs of different speakers. "
        "Scaled ones and shifts are of the text, which does not tell whether values or magnitudes "
        "are meant by the largest value.",
    )
