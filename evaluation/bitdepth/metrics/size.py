"""How many bytes vectors take."""

from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.page.notation import count

BYTES_PER_VECTOR = ConditionMetric(
    name="bytes_per_vector",
    heading="bytes",
    measure=lambda measured: measured.converted.bytes_per_row,
    better="low",
    table="storage",
    terminal={"bytes": str},
)
TOTAL_BYTES = ConditionMetric(
    name="total_bytes",
    heading="total bytes",
    measure=lambda measured: measured.converted.total_bytes,
    show=count,
    better="low",
    table="storage",
    note=lambda _: (
        "Total bytes hold one float32 more per vector for the formats, the reciprocal of its length"
    ),
    terminal={"MiB": lambda size: f"{size / 2**20:.2f}"},
)
