"""CCR: how many rows are nearer to another centroid than to their own."""

from evaluation.page.notation import count
from evaluation.separation.measurement import Measured
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.notation import signed_count
from evaluation.statistics.estimates import Number


def _measure(measured: Measured) -> Number:
    confused = measured.distances.confused.astype(float)
    # A draw may have more or fewer rows: of these it is a share, times the rows that there are.
    draws = measured.draws.means(confused) * len(confused)
    return Number(value=float(confused.sum()), draws=draws)


CCR = StepMetric(
    name="ccr",
    heading="CCR",
    measure=_measure,
    show=count,
    show_change=signed_count,
    better="low",
    meaning="How many vectors are nearer to another speaker's centroid than to their own. Lower is "
    "better.",
    never_negative=True,
)
