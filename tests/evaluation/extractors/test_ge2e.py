from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.recordings.audio import Waveform
from tests.support.attack import Attack

resemblyzer = pytest.importorskip("resemblyzer", reason="resemblyzer is not installed")


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return load_extractor("ge2e", device="cpu")


def test_rows_are_independent(extractor: Extractor, check: Callable[[Extractor], None]) -> None:
    assert extractor.dim == 256
    check(extractor)


def test_the_packaged_weights_reproduce_the_sample(
    extractor: Extractor, sample_cosines: Callable[[Extractor, str], NDArray[np.float32]]
) -> None:
    assert sample_cosines(extractor, "so762-ge2e").min() > 0.9999


def test_normalised_windows_are_those_of_the_library(
    extractor: Extractor, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    speech = resemblyzer.preprocess_wav(clips[0])
    _, windows, _ = encoder.embed_utterance(speech, return_partials=True)
    np.testing.assert_allclose(found["after normalisation"], windows, atol=1e-6)
    np.testing.assert_array_equal(found["embedding"], extractor.embed([clips[0]])[0])
    linear = encoder.linear
    weight, bias = (one.detach().numpy() for one in (linear.weight, linear.bias))
    made = found["before last layer"] @ weight.T + bias
    np.testing.assert_allclose(found["after last layer"], made, atol=1e-5)
    np.testing.assert_array_equal(
        found["before normalisation"], np.maximum(found["after last layer"], 0)
    )


def test_silence_says_so(extractor: Extractor) -> None:
    for level in (0, 1e-6):
        silence = np.full(16000, level, np.float32)
        with pytest.raises(ValueError, match="must hold speech; got silence"):
            extractor.embed([silence])


def test_absent_weights_are_named() -> None:
    with pytest.raises(InputError, match=r"--weights must be a file; got 'absent.pt'"):
        load_extractor("ge2e", weights="absent.pt")


def test_weights_of_ge2e_run_nothing(tmp_path: Path) -> None:
    weights, victim = tmp_path / "weights.pt", tmp_path / "victim"
    torch.save({"model_state": Attack(victim)}, weights)
    with pytest.raises(InputError, match=r"^ge2e: .* does not load \(Weights only load failed"):
        load_extractor("ge2e", weights=str(weights), device="cpu")
    assert not victim.exists()
    # The attack is one.
    torch.load(weights, weights_only=False)
    assert victim.exists()
