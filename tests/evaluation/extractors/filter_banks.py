"""Kaldi's log mel filter banks by their definition, in float64."""

import numpy as np
from numpy.typing import NDArray

RATE, LENGTH, STEP, SIZE = 16_000, 400, 160, 512
BINS, LOWEST, PREEMPHASIS = 80, 20.0, 0.97


def filter_banks(waveform: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the banks (frames, BINS) of a waveform at 16 kHz: whole frames, without dither."""
    places = np.arange(0, len(waveform) - LENGTH + 1, STEP)[:, None] + np.arange(LENGTH)
    frames = waveform.astype(np.float64)[places]
    frames -= frames.mean(axis=1, keepdims=True)
    # The first sample of a frame stands for the one before it.
    frames = frames - PREEMPHASIS * np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))
    power = np.abs(np.fft.rfft(frames * hann**0.85, SIZE)) ** 2
    return np.log(np.maximum(power[:, :-1] @ _triangles().T, np.finfo(np.float32).eps))


def _triangles() -> NDArray[np.float64]:
    """The weight (BINS, SIZE / 2) of each frequency in each bin, triangles in mel."""
    edges = np.linspace(_mel(LOWEST), _mel(RATE / 2), BINS + 2)
    mels = _mel(np.arange(SIZE // 2) * RATE / SIZE)
    low, middle, high = (edges[i : BINS + i, None] for i in range(3))
    rising, falling = (mels - low) / (middle - low), (high - mels) / (high - middle)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def _mel(frequency: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127 * np.log1p(np.asarray(frequency) / 700))
