"""Times of several runs, taken in turn, so that a drift of the machine's speed meets them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from timeit import Timer

import numpy as np

from benchmarks.cases import Run

# A shorter run is repeated within a measurement until the clock's own error is small.
_LEAST_SECONDS = 2e-3


@dataclass(frozen=True)
class Timing:
    """Seconds of one run: the median over rounds, and the lower and the upper quartile."""

    median_s: float
    quartiles_s: tuple[float, float]


def timing_of(seconds: Sequence[float]) -> Timing:
    """Return the median and the quartiles of several rounds."""
    low, median, high = (float(q) for q in np.quantile(seconds, [0.25, 0.5, 0.75]))
    return Timing(median, (low, high))


def time_in_turn(runs: Mapping[str, Run], repeats: int) -> dict[str, Timing]:
    """Return the time of each run by name; every round measures each of them once."""
    timers = {name: Timer(run) for name, run in runs.items()}
    counts = {name: _count(timer) for name, timer in timers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, timer in timers.items():
            seconds[name].append(timer.timeit(counts[name]) / counts[name])
    return {name: timing_of(rounds) for name, rounds in seconds.items()}


def _count(timer: Timer) -> int:
    """Return how many runs make a measurement; they also warm it up."""
    count = 1
    while timer.timeit(count) < _LEAST_SECONDS:
        count *= 2
    return count
