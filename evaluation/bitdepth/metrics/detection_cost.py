"""minDCF: the least detection cost over all thresholds, by the prior of a target."""

from evaluation.bitdepth.measurement import PRIORS, Measured
from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.bitdepth.rows import ConditionRow
from evaluation.statistics.estimates import Number


def _min_dcf(prior: float) -> ConditionMetric[Number]:
    def measure(measured: Measured) -> Number:
        return Number(
            value=measured.histogram.minimum_cost(prior).cost,
            draws=measured.errors.minimum_cost_draws(prior),
        )

    return ConditionMetric(
        name=f"min_dcf_{prior}",
        heading=f"minDCF, prior {prior:g}",
        measure=measure,
        show=lambda cost: f"{cost:.4f}",
        better="low",
        table="identification",
        column=f"min_dcf_{prior}",
        note=_note if prior == PRIORS[0] else None,
    )


def _note(row: ConditionRow) -> str:
    return (
        "minDCF: the least cost over all thresholds of misses and false alarms, which cost 1 each, "
        "at a prior of a pair being of one speaker, against that of accepting none; "
        f"n = {row.targets:,} and {row.nontargets:,} pairs"
    )


MIN_DCF = {prior: _min_dcf(prior) for prior in PRIORS}
