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
from evaluation.probe.architecture import architecture
from evaluation.probe.ranges import published_signal
from evaluation.recordings.audio import Waveform
from tests.evaluation.extractors.filter_banks import filter_banks

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
    after = ["before normalisation", "after normalisation", "embedding"]
    assert list(found) == ["filter banks", "features", *after]
    np.testing.assert_array_equal(found["embedding"], extractor.embed([clips[0]])[0])
    np.testing.assert_array_equal(found["embedding"], found["after normalisation"])
    assert not np.array_equal(found["embedding"], found["before normalisation"])
    assert found["features"].shape[1] == 80
    np.testing.assert_allclose(found["features"].mean(axis=0), 0, atol=1e-5)
    less_mean = found["filter banks"] - found["filter banks"].mean(axis=0)
    np.testing.assert_array_equal(found["features"], less_mean)


def test_filter_banks_are_kaldis_by_its_definitions(
    extractor: Extractor, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    # Most bins of the signal hold nothing but what float32 rounds.
    for clip, tolerance in ((clips[0], 2e-3), (published_signal(), 2e-2)):
        found = extractor.stages(clip)["filter banks"]
        np.testing.assert_allclose(found, filter_banks(clip), atol=tolerance)


def test_filter_banks_of_the_published_signal_are_the_papers(extractor: Extractor) -> None:
    assert isinstance(extractor, StagedExtractor)
    signal = published_signal()
    assert [f"{signal.mean():.3f}", f"{signal.std(ddof=1):.3f}"] == ["0.333", "0.943"]
    for banks in (extractor.stages(signal)["filter banks"], filter_banks(signal)):
        found = (banks.max(), banks.min(), banks.mean(), banks.std(ddof=1))
        assert [f"{one:.3f}" for one in found] == ["11.445", "-15.942", "-12.437", "5.615"]


def test_the_network_has_four_residual_blocks_and_a_batch_normalisation_last(
    extractor: Extractor, random_weights: Path, clips: list[Waveform]
) -> None:
    found = architecture(extractor, clips[0])
    assert (found.residual_blocks, found.ends_in_batch_norm) == (4, True)
    state = torch.load(random_weights, weights_only=True)
    learned = [one for name, one in state.items() if name.endswith(("weight", "bias"))]
    assert found.parameters == sum(one.numel() for one in learned)


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
