"""EER: FAR and FRR where the two meet, and the threshold there."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import bracketed, percent, shift, signed
from evaluation.statistics.estimates import Number

EER = ConditionMetric(
    name="eer",
    heading="EER",
    measure=lambda measured: Number(
        value=measured.equal.rate, draws=measured.errors.equal_error_draws()
    ),
    show=percent,
    better="low",
    table="errors",
    change=True,
    terminal={
        "EER % [95 %]": lambda rate: bracketed(percent, rate.value, rate.low, rate.high),
        "change [95 %]": lambda rate: bracketed(
            signed, rate.change, rate.change_low, rate.change_high
        ),
    },
)
EER_THRESHOLD = ConditionMetric(
    name="eer_threshold",
    heading="EER threshold",
    measure=lambda measured: measured.equal.threshold,
    show=lambda cosine: f"{cosine:.4f}",
    table="decisions",
)
EER_THRESHOLD_SHIFT = ConditionMetric(
    name="eer_threshold_shift",
    heading="shift",
    measure=lambda measured: measured.equal.threshold - measured.equal_of_float32.threshold,
    show=shift,
    table="decisions",
    note=lambda _: "Shift: how far the threshold where FAR and FRR meet moves",
    terminal={"shift": shift},
)
