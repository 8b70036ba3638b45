"""What the nearest recordings tell: whose voice it is, and whether they are float32's nearest."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.bitdepth.rows import ConditionRow
from evaluation.page.notation import percent
from evaluation.statistics.estimates import Number

QUERIES = ConditionMetric(
    name="queries", heading="queries", measure=lambda measured: measured.queries
)
TOP1 = ConditionMetric(
    name="top1",
    heading="top-1",
    measure=lambda measured: Number(value=measured.found.top1, draws=measured.found.top1_draws),
    show=percent,
    better="high",
    table="identification",
    change=True,
    note=lambda _: (
        "Top-1, top-5: in percent, how often the nearest of all other recordings, or "
        "one of the nearest five, is of the same speaker"
    ),
)
TOP5 = ConditionMetric(
    name="top5",
    heading="top-5",
    measure=lambda measured: Number(value=measured.found.top5, draws=measured.found.top5_draws),
    show=percent,
    better="high",
    table="identification",
)


def _recall_note(row: ConditionRow) -> str:
    return (
        "Recall at 10: which percentage of the ten nearest are among the ten nearest of float32, "
        "or tie with its tenth by float32's cosine; "
        f"n = {row[QUERIES]:,} recordings that are looked for among {row.vectors - 1:,} others"
    )


RECALL10 = ConditionMetric(
    name="recall10",
    heading="recall at 10",
    measure=lambda measured: Number(
        value=measured.found.recall10, draws=measured.found.recall10_draws
    ),
    show=percent,
    better="high",
    table="identification",
    note=_recall_note,
)
