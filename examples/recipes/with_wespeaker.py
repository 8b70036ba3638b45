"""Vectors of WeSpeaker's runtime, for `voices.py`."""

import numpy as np
import torch
import torchaudio.compliance.kaldi as kaldi
from numpy.typing import NDArray
from wespeakerruntime import Speaker


class Embedder:
    """Gives the vectors of recordings: arrays of samples at 16 kHz."""

    def __init__(self, source: str | None = None) -> None:
        """Load an ONNX file; without one the runtime fetches a model of its own."""
        self.speaker = Speaker(onnx_path=source)

    def __call__(self, recordings: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate([self._embed(one) for one in recordings])

    def _embed(self, recording: NDArray[np.float32]) -> NDArray[np.float32]:
        # The features that the runtime makes of a file; it takes their mean off itself.
        scaled = torch.from_numpy(recording)[None] * (1 << 15)
        features = kaldi.fbank(scaled, num_mel_bins=80, window_type="hamming", dither=0.0)
        vectors: NDArray[np.float32] = self.speaker.extract_embedding_feat(features.numpy()[None])
        return vectors
