"""What storing does to the values of vectors."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import rare, scientific

COSINE_LOSS = ConditionMetric(
    name="cosine_loss",
    heading="1 \N{MINUS SIGN} cos",
    measure=lambda measured: measured.converted.cosine_loss,
    show=scientific,
    better="low",
    table="storage",
    column="cosine_loss",
    note=lambda row: (
        f"1 \N{MINUS SIGN} cos: the mean over {row.vectors:,} vectors of 1 minus the "
        "cosine to the original"
    ),
    terminal={"1 - cos": scientific},
)
OVERFLOW = ConditionMetric(
    name="overflow",
    heading="overflow",
    measure=lambda measured: measured.converted.overflow,
    show=rare,
    better="low",
    table="storage",
    note=lambda _: (
        "Overflow: values in percent that exceed the format and are held at its "
        "largest, or become infinity or NaN where it is unsaturated"
    ),
    terminal={"over %": rare},
)
UNDERFLOW = ConditionMetric(
    name="underflow",
    heading="to zero",
    measure=lambda measured: measured.converted.underflow,
    show=rare,
    better="low",
    table="storage",
    note=lambda row: (
        "To zero: values in percent that were not zero and become zero (n = "
        f"{row.vectors * row.dim:,} for both)"
    ),
    terminal={"zero %": rare},
)
