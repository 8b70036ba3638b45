"""How surely the best model is best."""

from evaluation.page.cells import BOUNDS
from evaluation.page.notation import count
from evaluation.page.table import Cell, Column, Content, Table
from evaluation.separation.notation import decimals
from evaluation.separation.tables.columns import heading
from evaluation.separation.tables.told import Told


def leads(told: Told) -> Table | None:
    """Return who is best by each metric in float32, and how surely; None for a single model."""
    if not told.standings:
        return None
    rows: list[list[Content]] = []
    for standing in told.standings:
        if not standing.step.condition.is_float32:
            continue
        lead = standing.lead
        rows.append(
            [
                heading(standing.step.space, standing.metric),
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


def _lead(value: float) -> str:
    # One column holds counts and shares.
    return count(value) if abs(value) >= 1 else decimals(value)
