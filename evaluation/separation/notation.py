"""Metrics as readers see them: CCR is a count, the others have three decimals."""

from typing import Any

from evaluation.page.metric import Metric
from evaluation.statistics.estimates import Estimate


def decimals(number: float) -> str:
    """Return a number with three decimals: 0.060."""
    return f"{number:.3f}"


def signed_decimals(difference: float) -> str:
    """Return a difference with three decimals: +0.002, or 0.000 where it rounds to that."""
    return _without_sign_of_zero(f"{difference:+.3f}")


def signed_count(difference: float) -> str:
    """Return a difference of counts: +1,204, or 0."""
    return _without_sign_of_zero(f"{difference:+,.0f}")


def with_interval(metric: Metric[Any, Any], estimate: Estimate) -> str:
    """Return a value with its interval: 0.104 (0.079 to 0.128)."""
    show = metric.show
    return f"{show(estimate.value)} ({show(estimate.low)} to {show(estimate.high)})"


def _without_sign_of_zero(text: str) -> str:
    return text if text.strip("+-0.") else text.lstrip("+-")
