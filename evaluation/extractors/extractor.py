"""What the extraction asks of a model."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.recordings.audio import Waveform

# What `stages` names, in the order in which a model makes them.
WAVEFORM = "waveform"
FILTER_BANKS = "filter banks"
FEATURES = "features"
BEFORE_LAST_LAYER = "before last layer"
AFTER_LAST_LAYER = "after last layer"
BEFORE_NORMALISATION = "before normalisation"
AFTER_NORMALISATION = "after normalisation"
EMBEDDING = "embedding"
# Those before there is a vector.
INPUTS = (WAVEFORM, FILTER_BANKS, FEATURES)
VECTORS = (
    BEFORE_LAST_LAYER,
    AFTER_LAST_LAYER,
    BEFORE_NORMALISATION,
    AFTER_NORMALISATION,
    EMBEDDING,
)


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

        FEATURES is what the network takes, EMBEDDING the row that `embed` gives. WAVEFORM is what
        a network takes that makes its features itself, FILTER_BANKS are features before their mean
        over the clip is subtracted. BEFORE_NORMALISATION and AFTER_NORMALISATION are what enters
        and what leaves the last normalisation of the vector, if there is one; it need not be the
        last layer. BEFORE_LAST_LAYER and AFTER_LAST_LAYER are what enters and what leaves the last
        linear layer, where no such normalisation comes before it.
        """
        ...


@runtime_checkable
class NetworkExtractor(Extractor, Protocol):
    """A model that is a torch module, `network`, and shows it."""

    network: torch.nn.Module
