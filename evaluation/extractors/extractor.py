"""What the extraction asks of a model."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evaluation.recordings.audio import Waveform

# What `stages` names, in the order in which a model makes them.
FEATURES = "features"
BEFORE_NORMALISATION = "before normalisation"
AFTER_NORMALISATION = "after normalisation"
EMBEDDING = "embedding"


class Extractor(Protocol):
    """A model that makes one vector of `dim` values of a clip of any length.

    `identity` tells it from every other: the model, its weights, and the library where another
    version could give other values. Rows of different identities never share a file.
    """

    dim: int
    identity: dict[str, str]

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        """Return the embeddings (clips, dim), each of one waveform at 16 kHz and of no other."""
        ...


@runtime_checkable
class StagedExtractor(Extractor, Protocol):
    """A model that also shows the numbers on the way to its embedding."""

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        """Return the stages that the model has, by the names of this module.

        FEATURES is what the network takes, EMBEDDING the row that `embed` gives. The other two are
        what enters and what leaves the last normalisation of the vector, if there is one; it
        need not be the last layer.
        """
        ...
