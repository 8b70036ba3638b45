"""The tables of the report."""

from collections.abc import Sequence

from evaluation.page.cells import BOUNDS, change_cell, value_cell
from evaluation.page.notation import count
from evaluation.page.table import Cell, Column, Content, Table, Tone
from evaluation.separation.metrics import Metric
from evaluation.separation.notation import decimals, shown, signed
from evaluation.separation.published import DATA, PUBLISHED, SOURCE
from evaluation.separation.standings import Choice, Standing, choice
from evaluation.separation.study import SeparationStudy, Space, Step
from evaluation.statistics.estimates import CONFIDENCE

TONES: dict[Choice, Tone] = {
    Choice.ORDER_KEPT: "good",
    Choice.BEST_KEPT: "fair",
    Choice.CHANGED: "poor",
}


def models(studies: Sequence[SeparationStudy]) -> Table:
    """Return the six metrics of each model in float32, the best of each marked."""
    rows: list[list[Content]] = []
    for study in studies:
        row = study.float32(Space.COSINE).row
        rows.append([row.model])
        for space in Space:
            found = study.float32(space).row
            rows[-1] += [value_cell(found.estimate(metric)) for metric in Metric]
        rows[-1] += [row.vectors, row.speakers, row.dim]
    return Table(
        slug="models",
        caption="Models, in float32",
        columns=[
            Column(heading="model"),
            *_metric_columns(interval=True),
            Column(heading="vectors", show=count),
            Column(heading="speakers", show=count),
            Column(heading="values of a vector", name="dim"),
        ],
        rows=rows,
        note="The best of each column is bold. OIIDD and the silhouette are taken over all "
        f"vectors, CCR counts them. {BOUNDS}; n is the number of vectors, of as many speakers "
        "as the table says. Centroids include the vector that is compared with them.",
    )


def published() -> Table:
    """Return the table of the published study."""
    rows: list[list[Content]] = [
        [line.model, *(line.value(space, metric) for space in Space for metric in Metric)]
        for line in PUBLISHED
    ]
    return Table(
        slug="published",
        caption="The published study's table, for comparison",
        columns=[Column(heading="model"), *_metric_columns(interval=False)],
        rows=rows,
        note=f"{SOURCE}: {DATA}; n = 19,625, without intervals. Numbers of other recordings do not "
        "compare one by one: with more speakers the nearest other one is nearer, and bandwidths "
        "and maps may have been made otherwise.",
    )


def leads(found: Sequence[Standing]) -> Table:
    """Return who is best by each metric in float32, and how surely."""
    rows: list[list[Content]] = []
    for standing in found:
        if not standing.step.condition.is_float32:
            continue
        lead = standing.lead
        rows.append(
            [
                _heading(standing.step.space, standing.metric),
                standing.best,
                lead.second,
                Cell(value=lead.value, low=lead.low, high=lead.high),
                Cell(
                    value="clear" if lead.is_clear else "not clear",
                    tone="good" if lead.is_clear else "fair",
                ),
            ]
        )
    return Table(
        slug="leads",
        caption="How surely the best is best",
        columns=[
            Column(heading="metric"),
            Column(heading="best", words=True),
            Column(heading="next", words=True),
            Column(heading="lead", show=_lead, interval=True),
            Column(heading="verdict", words=True),
        ],
        rows=rows,
        note=f"{BOUNDS}, which are the same for models of the same speakers, so that the lead "
        "is that of one and the same speakers. A lead is clear where its interval leaves out 0. "
        "Vectors and speakers (n) as above.",
    )


def choices(studies: Sequence[SeparationStudy], found: Sequence[Standing]) -> Table:
    """Return who is best by each metric in every format."""
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
                cells += [None] * len(Metric)
                continue
            judged.append(choice(found, step))
            cells += [_best(by_step[step, metric]) for metric in Metric]
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
                Column(heading=_heading(space, metric), words=True)
                for space in Space
                for metric in Metric
            ),
        ],
        rows=rows,
        note="Small: the lead over the next model, and its "
        f"{round(100 * CONFIDENCE)} % interval over draws of speakers. Maps are made of the "
        "formats that --umap-formats names. Vectors and speakers (n) as above.",
    )


def formats(study: SeparationStudy, space: Space) -> Table:
    """Return the metrics of a model in every format, and their differences from float32."""
    columns = [Column(heading="stored as"), Column(heading="bits")]
    for metric in Metric:
        name = metric.name.lower()
        columns += [
            Column(heading=metric.value, show=shown(metric), interval=True),
            Column(
                heading=f"{metric.value} against float32",
                name=f"{name}_change",
                show=signed(metric),
                interval=True,
            ),
        ]
    rows: list[list[Content]] = []
    for result in study.results:
        if result.step.space is not space:
            continue
        row, condition = result.row, result.step.condition
        rows.append([condition.label, row.bits])
        for metric in Metric:
            estimate = row.estimate(metric)
            change = Cell(value=None) if condition.is_float32 else change_cell(estimate)
            rows[-1] += [value_cell(estimate), change]
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


def _metric_columns(*, interval: bool) -> list[Column]:
    return [
        Column(
            heading=_heading(space, metric),
            show=shown(metric),
            interval=interval,
            best="high" if metric.higher_is_better else "low",
        )
        for space in Space
        for metric in Metric
    ]


def _heading(space: Space, metric: Metric) -> str:
    return f"{space.distance} {metric.value}"


def _best(standing: Standing) -> Cell:
    lead, show = standing.lead, shown(standing.metric)
    return Cell(
        value=standing.best,
        small=f"by {show(lead.value)} ({show(lead.low)} to {show(lead.high)})",
    )


def _lead(value: float) -> str:
    # One column holds counts and shares.
    return count(value) if abs(value) >= 1 else decimals(value)
