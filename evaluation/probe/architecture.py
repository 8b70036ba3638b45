"""What a model is made of, as far as the published hypothesis asks, and what it takes."""

from dataclasses import dataclass

import numpy as np
import torch

from evaluation.extractors import Extractor, NetworkExtractor
from evaluation.extractors.extractor import AFTER_NORMALISATION, EMBEDDING
from evaluation.probe.memory import PeakMemory, peak_memory
from evaluation.probe.ranges import stages_of
from evaluation.probe.residual import residual_blocks
from evaluation.recordings.audio import SAMPLE_RATE, Waveform

# Seconds of the clip that the memory is measured for.
SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Residual blocks, whether a batch normalisation comes last, parameters, and memory.

    None is what a model does not show.
    """

    residual_blocks: int | None
    ends_in_batch_norm: bool | None
    parameters: int | None
    memory: PeakMemory | None


def architecture(extractor: Extractor, clip: Waveform) -> Architecture:
    """Return what a model is made of, seen on a clip that it takes.

    The memory is that of the clip repeated, or cut, to 10 s. Parameters are all of the network as
    its library loads it, also those of a classifier that no embedding needs.
    """
    network = extractor.network if isinstance(extractor, NetworkExtractor) else None
    long = np.resize(clip, SECONDS * SAMPLE_RATE)
    return Architecture(
        memory=peak_memory(lambda: extractor.embed([long])),
        residual_blocks=residual_blocks(lambda: extractor.embed([clip])),
        ends_in_batch_norm=None if network is None else ends_in_batch_norm(extractor, clip),
        parameters=None if network is None else sum(one.numel() for one in network.parameters()),
    )


def ends_in_batch_norm(extractor: Extractor, clip: Waveform) -> bool:
    """Return whether the embedding is what a batch normalisation gives."""
    layer = getattr(extractor, "last_normalisation", None)
    if not isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
        return False
    stages = stages_of(extractor, clip)
    return np.array_equal(stages[AFTER_NORMALISATION], stages[EMBEDDING])
