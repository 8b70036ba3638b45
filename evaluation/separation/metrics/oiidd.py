"""OIIDD: the area below both densities of distances, to the own centroid and to another."""

from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.notation import decimals, signed_decimals
from evaluation.statistics.estimates import Number

OIIDD = StepMetric(
    name="oiidd",
    heading="OIIDD",
    measure=lambda measured: Number(value=measured.overlap.area, draws=measured.overlap.draws),
    show=decimals,
    show_change=signed_decimals,
    better="low",
    meaning="Overlap of the distances to the own speaker's centroid with those to the nearest "
    "other speaker's: the area below both distributions, 0 where they are apart and 1 where they "
    "are the same. Lower is better.",
    never_negative=True,
)
