"""Vectors of pyannote.audio, and names for whom its diarization tells apart, for `voices.py`."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference, Model

from examples.recipes.voices import Voices


class Embedder:
    """Gives the vectors of recordings: arrays of samples at 16 kHz."""

    def __init__(self, source: str = "pyannote/embedding") -> None:
        """Load a model by its name on the hub, or from a checkpoint."""
        self.inference = Inference(Model.from_pretrained(source), window="whole")

    def __call__(self, recordings: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        given = [{"waveform": torch.from_numpy(x)[None], "sample_rate": 16_000} for x in recordings]
        return np.stack([np.asarray(self.inference(one)).reshape(-1) for one in given])


def named(output: Any, voices: Voices) -> Any:
    """Return who spoke when, by name, of what a diarization pipeline gave for one recording.

    Its vectors must be of the model that speakers were enrolled with. Whom nobody knows keeps the
    label that the pipeline gave.
    """
    if getattr(output, "speaker_embeddings", None) is None:
        raise ValueError("the pipeline must give vectors of speakers; got an output without them")
    annotation = output.speaker_diarization
    labels = annotation.labels()
    names = voices.assign(labels, output.speaker_embeddings[: len(labels)])
    return annotation.rename_labels({label: name for label, name in names.items() if name})
