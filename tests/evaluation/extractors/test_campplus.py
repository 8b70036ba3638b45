import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.extractors.campplus_network import CamPlusPlusNetwork
from evaluation.recordings.audio import Waveform

pytest.importorskip("kaldi_native_fbank", reason="kaldi-native-fbank is not installed")

Check = Callable[[Extractor], None]


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = CamPlusPlusNetwork(64).train()
    # Batch normalisation that has seen nothing lets a deep network give one vector for all clips.
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.momentum = 1
    network(torch.randn(4, 100, 80))
    path = tmp_path_factory.mktemp("campplus") / "weights.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def extractor(random_weights: Path) -> Extractor:
    return load_extractor("campplus", weights=str(random_weights), device="cpu")


@pytest.fixture(scope="module")
def published() -> Extractor:
    path = os.environ.get("MINIFLOAT_CAMPPLUS")
    if path is None:
        pytest.skip("MINIFLOAT_CAMPPLUS names no file of weights")
    return load_extractor("campplus", weights=path, device="cpu")


def test_random_weights_give_independent_rows(extractor: Extractor, check: Check) -> None:
    assert extractor.dim == 64
    check(extractor)


def test_published_weights_give_independent_rows(published: Extractor, check: Check) -> None:
    check(published)


def test_published_weights_reproduce_the_sample(
    published: Extractor, sample_cosines: Callable[[Extractor, str], NDArray[np.float32]]
) -> None:
    assert sample_cosines(published, "so762-campplus").min() > 0.9999


def test_the_embedding_is_what_the_last_normalisation_gives(
    extractor: Extractor, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    assert list(found) == ["features", "before normalisation", "after normalisation", "embedding"]
    np.testing.assert_array_equal(found["embedding"], extractor.embed([clips[0]])[0])
    np.testing.assert_array_equal(found["embedding"], found["after normalisation"])
    assert not np.array_equal(found["embedding"], found["before normalisation"])
    assert found["features"].shape[1] == 80
    np.testing.assert_allclose(found["features"].mean(axis=0), 0, atol=1e-5)


def test_a_clip_that_is_too_short_says_so(extractor: Extractor) -> None:
    with pytest.raises(ValueError, match="must have 720 samples at least; got 719"):
        extractor.embed([np.zeros(719, np.float32)])
    noise = np.random.default_rng(0).normal(0, 0.1, 720).astype(np.float32)
    assert np.isfinite(extractor.embed([noise])).all()


def test_unusable_weights_are_named(tmp_path: Path, random_weights: Path) -> None:
    with pytest.raises(InputError, match="campplus needs --weights FILE; got none"):
        load_extractor("campplus")
    path = tmp_path / "x.pt"
    with pytest.raises(InputError, match=r"--weights must be a file; got '.*x.pt'"):
        load_extractor("campplus", weights=str(path))
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"x.pt is no file of torch weights"):
        load_extractor("campplus", weights=str(path))
    torch.save({"weight": torch.ones(3)}, path)
    with pytest.raises(InputError, match=r"x.pt holds no CAM\+\+"):
        load_extractor("campplus", weights=str(path))
    state = torch.load(random_weights, weights_only=True)
    del state["head.bn1.bias"]
    torch.save(state, path)
    with pytest.raises(InputError, match=r"(?s)is of another network .*head.bn1.bias"):
        load_extractor("campplus", weights=str(path))
