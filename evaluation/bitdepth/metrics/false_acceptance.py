"""FAR: the share of pairs of different speakers that are accepted."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import percent
from evaluation.statistics.estimates import Number

FAR = ConditionMetric(
    name="far",
    heading="FAR",
    measure=lambda measured: Number(
        value=measured.fp / measured.trials.nontargets,
        draws=measured.errors.far_draws[measured.place],
    ),
    show=percent,
    better="low",
    table="errors",
    change=True,
    note=lambda row: f"n = {row.nontargets:,} for FAR, {row.targets:,} for FRR",
    terminal={"FAR %": lambda rate: percent(rate.value)},
)
