"""Times of runs: the clocks of a processor, and what rounds come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from timeit import Timer

import numpy as np

Run = Callable[[], object]
# Tells the seconds of one run each time that it is called.
Clock = Callable[[], float]

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


def wall_clock(run: Run) -> Clock:
    """Return a run's clock, which the run has warmed up."""
    return _clock(Timer(run))


def cpu_clock(run: Run) -> Clock:
    """Return the clock of a run's CPU time, of all threads."""
    return _clock(Timer(run, timer=process_time))


def _clock(timer: Timer) -> Clock:
    count = _count(timer)
    return lambda: timer.timeit(count) / count


def _count(timer: Timer) -> int:
    """Return how many runs make a measurement."""
    count = 1
    while timer.timeit(count) < _LEAST_SECONDS:
        count *= 2
    return count
