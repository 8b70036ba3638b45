"""FRR: the share of pairs of one speaker that are rejected."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import percent
from evaluation.statistics.estimates import Number

FRR = ConditionMetric(
    name="frr",
    heading="FRR",
    measure=lambda measured: Number(
        value=measured.fn / measured.trials.targets,
        draws=measured.errors.frr_draws[measured.place],
    ),
    show=percent,
    better="low",
    table="errors",
    change=True,
    terminal={"FRR %": lambda rate: percent(rate.value)},
)
