"""Clips for the extractors, and what every one of them must do with them.

MINIFLOAT_SPEECH names a folder of speech with a folder for each speaker; without it the clips are
synthetic. MINIFLOAT_CAMPPLUS names a file of CAM++'s published weights.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evaluation.embeddings.embeddings import load_embeddings
from evaluation.extractors import Extractor
from evaluation.recordings.audio import SAMPLE_RATE, Waveform, read_audio
from evaluation.recordings.recordings import find_recordings
from tests.support.paths import ROOT

SPEECH = "MINIFLOAT_SPEECH"
CLIPS = 8


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Torch on one thread: with more, the order of its sums depends on how large a batch is."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of speech; the test is skipped where there is none."""
    folder = os.environ.get(SPEECH)
    if folder is None:
        pytest.skip(f"{SPEECH} names no folder of speech")
    return Path(folder)


@pytest.fixture(scope="session")
def clips() -> list[Waveform]:
    """Clips of speech, or voices made of harmonics, of different lengths; two have the same."""
    folder = os.environ.get(SPEECH)
    if folder is not None:
        found = find_recordings(Path(folder)).recordings
        step = max(1, len(found) // CLIPS)
        made = [read_audio(one.path).waveform for one in found[::step]][:CLIPS]
    else:
        made = [voice(pitch=90 + 20 * i, seconds=2 + 0.3 * i, seed=i) for i in range(CLIPS)]
    made[-1] = made[-1][: len(made[-2])]
    made[-2] = made[-2][: len(made[-1])]
    return made


def voice(*, pitch: float, seconds: float, seed: int) -> Waveform:
    """Harmonics whose loudness comes and goes, with a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for k in range(1, 30))
    sound = sound * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)) + rng.normal(0, 0.05, len(time))
    return np.asarray(0.1 * sound, np.float32)


@pytest.fixture(scope="session")
def check(clips: list[Waveform]) -> Callable[[Extractor], None]:
    """Asserts shape, repeatability, and that clips in one batch leave each other alone."""

    def run(extractor: Extractor) -> None:
        together = extractor.embed(clips)
        assert together.shape == (len(clips), extractor.dim)
        assert together.dtype == np.float32
        assert np.isfinite(together).all()
        np.testing.assert_array_equal(extractor.embed(clips), together)
        alone = np.concatenate([extractor.embed([clip]) for clip in clips])
        size = np.abs(together).max()
        off = np.abs(alone - together).max() / size
        mixed = np.abs(extractor.embed(clips[::-1])[::-1] - together).max() / size
        apart = np.abs(together[0] - together[1]).max() / size
        print(
            f"{extractor.identity['model']}: dim {extractor.dim}, repeats to the bit; alone and in "
            f"a batch differ by {off:.1e} of the largest value, in another order by {mixed:.1e}; "
            f"two clips by {apart:.1e}"
        )
        # Sums of a few thousand products in another order: far below what another clip changes.
        assert max(off, mixed) < 1e-4 * min(1, apart)
        assert extractor.embed([]).shape == (0, extractor.dim)

    return run


@pytest.fixture(scope="session")
def sample_cosines(speech: Path) -> Callable[[Extractor, str], NDArray[np.float32]]:
    """The cosine of each clip's row and the one that a shipped sample has of the same utterance."""
    folder = ROOT / "evaluation" / "samples"

    def run(extractor: Extractor, name: str) -> NDArray[np.float32]:
        sample = load_embeddings(folder / f"{name}.npz")
        assert sample.utterance
        row_of = dict(zip(sample.utterance, sample.rows, strict=True))
        found = [r for r in find_recordings(speech).recordings if r.utterance in row_of]
        if not found:
            pytest.skip(f"{SPEECH} has no utterance of {name}")
        ours = np.concatenate([extractor.embed([read_audio(r.path).waveform]) for r in found])
        theirs = np.stack([row_of[r.utterance] for r in found])
        cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1)
        cosines = np.asarray(cosines / np.linalg.norm(theirs, axis=1))
        print(
            f"{name}: {len(found)} clips, least cosine {cosines.min():.7f}, largest difference "
            f"{np.abs(ours - theirs).max():.1e} where values reach {np.abs(theirs).max():.2f}"
        )
        return cosines

    return run
