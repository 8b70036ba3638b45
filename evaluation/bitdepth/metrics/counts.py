"""The four counts: pairs of one and of different speakers, accepted and rejected."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import count

TP = ConditionMetric(
    name="tp",
    heading="TP",
    measure=lambda measured: measured.trials.targets - measured.fn,
    show=count,
    table="decisions",
    note=lambda row: (
        "Pairs of one speaker accepted (TP) and rejected (FN), pairs of different "
        f"speakers accepted (FP) and rejected (TN), at the threshold {row.threshold:.6f}"
    ),
)
TN = ConditionMetric(
    name="tn",
    heading="TN",
    measure=lambda measured: measured.trials.nontargets - measured.fp,
    show=count,
    table="decisions",
)
FP = ConditionMetric(
    name="fp", heading="FP", measure=lambda measured: measured.fp, show=count, table="decisions"
)
FN = ConditionMetric(
    name="fn", heading="FN", measure=lambda measured: measured.fn, show=count, table="decisions"
)
