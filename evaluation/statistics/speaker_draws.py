"""Intervals by drawing speakers: rows of one speaker stand or fall together."""

import zlib

import numpy as np
from numpy.typing import NDArray

from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.draws import drawn

Array = NDArray[np.float64]


class SpeakerDraws:
    """Draws of as many speakers as there are, with replacement, as weights (draws, speakers).

    Files with the same speakers get the same draws, so that differences between models are
    paired; others get draws of their own. Distances are not measured anew: every row keeps its
    own, to the centroids of all speakers.
    """

    def __init__(self, embeddings: Embeddings, *, draws: int, seed: int) -> None:
        names = embeddings.speaker_names
        generator = np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])
        self._speaker = embeddings.speaker
        self.weights: Array = np.ascontiguousarray(
            drawn(generator, len(names), draws=draws).T, float
        )

    def means(self, values: Array) -> Array:
        """Return the mean over rows in each draw."""
        sums = np.bincount(self._speaker, weights=values)
        return np.asarray(self.weights @ sums / (self.weights @ np.bincount(self._speaker)))
