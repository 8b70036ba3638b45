"""Vectors of NVIDIA NeMo's speaker models, for `voices.py`."""

from pathlib import Path

import numpy as np
from nemo.collections.asr.models import EncDecSpeakerLabelModel
from numpy.typing import NDArray


class Embedder:
    """Gives the vectors of recordings: arrays of samples at 16 kHz."""

    def __init__(self, source: str = "titanet_large") -> None:
        """Load a model by its name on the hub, or from a .nemo file."""
        load = EncDecSpeakerLabelModel
        model = load.restore_from(source) if Path(source).exists() else load.from_pretrained(source)
        self.model = model.eval()

    def __call__(self, recordings: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        vectors = [self.model.infer_segment(one)[0] for one in recordings]
        return np.concatenate([np.asarray(one.cpu()).reshape(1, -1) for one in vectors])
