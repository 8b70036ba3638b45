"""The best model in every format."""

from evaluation.page.table import Cell, Column, Content, Table, Tone
from evaluation.separation.metrics import METRICS
from evaluation.separation.standings import Choice, Standing, choice
from evaluation.separation.study import Space, Step
from evaluation.separation.tables.columns import heading
from evaluation.separation.tables.told import Told
from evaluation.statistics.estimates import CONFIDENCE

TONES: dict[Choice, Tone] = {
    Choice.ORDER_KEPT: "good",
    Choice.BEST_KEPT: "fair",
    Choice.CHANGED: "poor",
}


def choices(told: Told) -> Table:
    """Return who is best by each metric in every format."""
    studies, found = told.studies, told.standings
    by_step = {(one.step, one.metric): one for one in found}
    rows: list[list[Content]] = []
    for result in studies[0].results:
        condition = result.step.condition
        if result.step.space is not Space.COSINE:
            continue
        cells: list[Content] = []
        judged = []
        for space in Space:
            step = Step(condition=condition, space=space)
            if studies[0].result(condition, space) is None:
                cells += [None] * len(METRICS)
                continue
            judged.append(choice(found, step))
            cells += [_best(by_step[step, metric]) for metric in METRICS]
        worst = max(judged, key=list(Choice).index)
        kept: Cell | str = Cell(value=worst.value, tone=TONES[worst])
        if condition.is_float32:
            kept = "reference"
        rows.append([condition.label, condition.bits, kept, *cells])
    return Table(
        slug="choices",
        caption="The best model in every format",
        columns=[
            Column(heading="stored as"),
            Column(heading="bits"),
            Column(heading="against float32", words=True),
            *(
                Column(heading=heading(space, metric), words=True)
                for space in Space
                for metric in METRICS
            ),
        ],
        rows=rows,
        note="Small: the lead over the next model, and its "
        f"{round(100 * CONFIDENCE)} % interval over draws of speakers. Maps are made of the "
        "formats that --umap-formats names. Vectors and speakers (n) as above.",
    )


def _best(standing: Standing) -> Cell:
    lead, show = standing.lead, standing.metric.show
    return Cell(
        value=standing.best,
        small=f"by {show(lead.value)} ({show(lead.low)} to {show(lead.high)})",
    )
