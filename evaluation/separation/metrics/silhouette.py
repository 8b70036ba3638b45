"""The silhouette: how much nearer the own speaker's rows are than another's, the mean over rows."""

from evaluation.separation.measurement import Measured
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.notation import decimals, signed_decimals
from evaluation.statistics.estimates import Number


def _measure(measured: Measured) -> Number:
    silhouette = measured.distances.silhouette
    return Number(value=float(silhouette.mean()), draws=measured.draws.means(silhouette))


SILHOUETTE = StepMetric(
    name="silhouette",
    heading="silhouette",
    measure=_measure,
    show=decimals,
    show_change=signed_decimals,
    better="high",
    meaning="For each vector, how much nearer the vectors of its own speaker are than those of the "
    "nearest other one, from -1 to 1; the mean over vectors. Higher is better.",
)
