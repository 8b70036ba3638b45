"""What is known of one condition of one model: numbers, with intervals where they are estimates."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.page.metric import MeasuredRow, Value


@dataclass(frozen=True, kw_only=True)
class ConditionRow(MeasuredRow):
    """One condition of one model; `row[METRIC]` is what a metric of METRICS found.

    `threshold` is where FAR, FRR, the four counts and the decisions are taken.
    """

    model: str
    format: str
    bits: int
    prepared: str
    saturate: bool
    trials: str
    vectors: int
    dim: int
    speakers: int
    targets: int
    nontargets: int
    threshold: float
    values: Mapping[str, Value]
