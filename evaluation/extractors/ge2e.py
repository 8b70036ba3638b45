"""GE2E of Resemblyzer, whose package carries its weights."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors.extractor import (
    AFTER_LAST_LAYER,
    AFTER_NORMALISATION,
    BEFORE_LAST_LAYER,
    BEFORE_NORMALISATION,
    EMBEDDING,
    FEATURES,
)
from evaluation.extractors.library import digest, loading, release
from evaluation.extractors.model import Model
from evaluation.recordings.audio import Waveform

# Windows a second, and the share of the last one that must be sound: the library's defaults.
RATE, COVERAGE = 1.3, 0.75


class Ge2e:
    """The LSTM; a row is the mean over windows of 1.6 s of its output before normalisation.

    The library would normalise each window's output and then their mean; what it computes before
    that is kept, because the studies ask what the values themselves are. Clips are prepared as the
    library does: quiet ones are made louder, long silences are cut.
    """

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        library = MODEL.required()
        self._audio = MODEL.required("resemblyzer.audio")
        path = Path(weights or Path(library.__file__ or "").with_name("pretrained.pt"))
        if not os.path.isfile(path):
            raise InputError(f"ge2e: --weights must be a file; got '{weights}'")
        with loading(MODEL.name, str(path)):
            self.network = library.VoiceEncoder(device, verbose=False, weights_fpath=path).eval()
        self.dim = int(self.network.linear.out_features)
        self.identity = {
            "model": MODEL.name,
            "weights": digest(path),
            "library": release("resemblyzer"),
        }

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        """Return the embeddings (clips, dim); the windows of one clip are a batch."""
        rows = [self._windows(self._mels(clip)).mean(axis=0) for clip in clips]
        return np.array(rows, np.float32).reshape(-1, self.dim)

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        """Return the stages of one clip; see `StagedExtractor`.

        The last layer gives what ReLU takes of each window. The normalisation is that of each
        window's output to length 1.
        """
        mels = self._mels(clip)
        hidden, linear = self._last_layer(mels)
        raw = torch.relu(linear).cpu().numpy()
        return {
            FEATURES: mels,
            BEFORE_LAST_LAYER: hidden.cpu().numpy(),
            AFTER_LAST_LAYER: linear.cpu().numpy(),
            BEFORE_NORMALISATION: raw,
            AFTER_NORMALISATION: raw / np.linalg.norm(raw, axis=1, keepdims=True),
            EMBEDDING: raw.mean(axis=0),
        }

    def _mels(self, clip: Waveform) -> NDArray[np.float32]:
        """The mel spectrograms (windows, frames, bins) of the windows of a clip."""
        speech = self._audio.preprocess_wav(clip) if clip.any() else clip[:0]
        if not len(speech):
            raise ValueError("must hold speech; got silence")
        samples, frames = self.network.compute_partial_slices(len(speech), RATE, COVERAGE)
        padded = np.pad(speech, (0, max(0, samples[-1].stop - len(speech))))
        mels = self._audio.wav_to_mel_spectrogram(padded)
        return np.stack([mels[window] for window in frames])

    def _windows(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        _, linear = self._last_layer(mels)
        return np.asarray(torch.relu(linear).cpu().numpy())

    def _last_layer(self, mels: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        """What enters and what leaves the last linear layer, a row for each window."""
        with torch.inference_mode():
            given = torch.from_numpy(mels).to(self.network.device)
            _, (hidden, _) = self.network.lstm(given)
            return hidden[-1], self.network.linear(hidden[-1])


MODEL = Model(
    name="ge2e",
    library="resemblyzer",
    extra="extract-ge2e",
    load=Ge2e,
    before="pip install --no-deps resemblyzer && ",
)
