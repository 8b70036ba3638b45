"""Metrics as readers see them: CCR is a count, the others have three decimals."""

from collections.abc import Callable

from evaluation.page.notation import count
from evaluation.separation.metrics import Metric
from evaluation.statistics.estimates import Estimate


def shown(metric: Metric) -> Callable[[float], str]:
    """Return how a value of the metric is written."""
    return count if metric is Metric.CCR else decimals


def signed(metric: Metric) -> Callable[[float], str]:
    """Return how a difference is written: with its sign, or 0 where it rounds to that."""

    def write(difference: float) -> str:
        text = f"{difference:+,.0f}" if metric is Metric.CCR else f"{difference:+.3f}"
        return text if text.strip("+-0.") else text.lstrip("+-")

    return write


def decimals(number: float) -> str:
    """Return a number with three decimals: 0.060."""
    return f"{number:.3f}"


def with_interval(metric: Metric, estimate: Estimate) -> str:
    """Return a value with its interval: 0.104 (0.079 to 0.128)."""
    show = shown(metric)
    return f"{show(estimate.value)} ({show(estimate.low)} to {show(estimate.high)})"
