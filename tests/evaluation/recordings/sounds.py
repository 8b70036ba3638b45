"""Sounds that are written for a test."""

from pathlib import Path

import numpy as np
import soundfile


def make_wav(
    path: Path,
    *,
    samples: int = 4000,
    rate: int = 16000,
    channels: int = 1,
    seed: int = 0,
    level: float = 0.1,
) -> Path:
    """Write noise to a file, by its extension; every length and seed gives another sound."""
    noise = np.random.default_rng(seed).uniform(-level, level, (samples, channels))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise, rate)
    return path
