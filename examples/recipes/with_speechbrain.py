"""Vectors of SpeechBrain's encoders, for `voices.py`."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from speechbrain.inference.speaker import EncoderClassifier


class Embedder:
    """Gives the vectors of recordings: arrays of samples at 16 kHz."""

    def __init__(self, source: str = "speechbrain/spkrec-ecapa-voxceleb") -> None:
        """Load a model by its name on the hub, or from a folder."""
        # A folder that was copied from the hub still names the hub as the place of its weights.
        place = {"pretrained_path": source} if Path(source).is_dir() else {}
        self.model = EncoderClassifier.from_hparams(source=source, overrides=place)

    def __call__(self, recordings: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        vectors = [self.model.encode_batch(torch.from_numpy(one)[None])[0, 0] for one in recordings]
        return torch.stack(vectors).cpu().numpy()
