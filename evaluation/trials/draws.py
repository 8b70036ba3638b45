"""Draws of speakers: how often each one is drawn, of as many as there are, with replacement."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# (speakers, draws). A byte each, as a million speakers need: of 255 or fewer speakers none is drawn
# more often than a byte holds, and of more one is with a probability below 1e-500.
Weights = NDArray[np.uint8]

# Weights held at one time in a wider type: 16 MiB of float32.
PRODUCT = 1 << 22


@lru_cache(maxsize=1)
def speaker_weights(speakers: int, *, draws: int, seed: int) -> Weights:
    """Return how often each speaker is drawn: (speakers, draws), not to be written to."""
    weights = drawn(np.random.default_rng(seed), speakers, draws=draws)
    weights.setflags(write=False)
    return weights


def drawn(generator: np.random.Generator, speakers: int, *, draws: int) -> Weights:
    """Return how often each speaker is drawn, by the generator's next numbers."""
    even = np.full(speakers, 1 / speakers)
    weights = np.empty((speakers, draws), np.uint8)
    step = max(1, PRODUCT // speakers)
    for first in range(0, draws, step):
        some = slice(first, min(first + step, draws))
        weights[:, some] = generator.multinomial(speakers, even, size=some.stop - first).T
    return weights


def weighted_sum(values: NDArray[np.generic], weights: Weights) -> NDArray[np.float64]:
    """Return values (speakers,) times weights (speakers, draws): (draws,), in float64."""
    total = np.zeros(weights.shape[1])
    step = max(1, PRODUCT // weights.shape[1])
    for start in range(0, len(values), step):
        some = slice(start, start + step)
        total += values[some].astype(np.float64) @ weights[some].astype(np.float64)
    return total
