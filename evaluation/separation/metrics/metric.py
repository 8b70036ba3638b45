"""A metric of the separation study: how well speakers are apart."""

from dataclasses import dataclass

from evaluation.page.metric import Metric
from evaluation.separation.measurement import Measured
from evaluation.statistics.estimates import Number


@dataclass(frozen=True, kw_only=True, eq=False)
class StepMetric(Metric[Measured, Number]):
    """A metric of one step; `meaning` tells readers what it is.

    One that is `never_negative` is drawn from 0.
    """

    meaning: str
    never_negative: bool = False
