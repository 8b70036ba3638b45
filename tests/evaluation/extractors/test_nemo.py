from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.recordings.audio import Waveform

pytest.importorskip("nemo.collections.asr.models", reason="nemo_toolkit[asr] is not installed")

MODULES = "nemo.collections.asr.modules."
NAMES = ("nemo-titanet", "nemo-ecapa", "nemo-speakernet")
NO_DATA = {"sample_rate": 16000, "manifest_filepath": None, "labels": None, "shuffle": False}
DIMS = {"nemo-titanet": 192, "nemo-ecapa": 192, "nemo-speakernet": 256}


def jasper(*, filters: int, last: int, residual_first: bool, se: bool) -> list[dict[str, Any]]:
    """Blocks of depth-wise convolutions, as TitaNet and SpeakerNet stack them."""
    shared = {"stride": [1], "dilation": [1], "dropout": 0.0, "separable": True, "se": se}
    shared["se_context_size"] = -1
    first = {"filters": filters, "repeat": 1, "kernel": [3], "residual": residual_first}
    middle = [
        {"filters": filters, "repeat": 2, "kernel": [size], "residual": True}
        for size in (7, 11, 15)
    ]
    end = {"filters": last, "repeat": 1, "kernel": [1], "residual": False}
    return [shared | block for block in (first, *middle, end)]


def settings(name: str) -> dict[str, Any]:
    """The published architecture of a name, narrower."""
    speakernet = name == "nemo-speakernet"
    bins, width = (64, 300) if speakernet else (80, 384)
    if name == "nemo-ecapa":
        encoder: dict[str, Any] = {
            "_target_": f"{MODULES}ECAPAEncoder",
            "feat_in": bins,
            "filters": [128, 128, 128, 128, width],
            "kernel_sizes": [5, 3, 3, 3, 1],
            "dilations": [1, 1, 1, 1, 1],
            "scale": 8,
        }
    else:
        encoder = {
            "_target_": f"{MODULES}ConvASREncoder",
            "feat_in": bins,
            "activation": "relu",
            "conv_mask": True,
            "jasper": jasper(filters=128, last=width, residual_first=speakernet, se=not speakernet),
        }
    return {
        "sample_rate": 16000,
        "train_ds": dict(NO_DATA),
        "validation_ds": dict(NO_DATA),
        "preprocessor": {
            "_target_": f"{MODULES}AudioToMelSpectrogramPreprocessor",
            "normalize": "per_feature",
            "window_size": 0.02 if speakernet else 0.025,
            "window_stride": 0.01,
            "window": "hann",
            "sample_rate": 16000,
            "features": bins,
            "n_fft": 512,
            "dither": 0.00001,
        },
        "encoder": encoder,
        "decoder": {
            "_target_": f"{MODULES}SpeakerDecoder",
            "feat_in": width,
            "num_classes": 5,
            "pool_mode": "xvector" if speakernet else "attention",
            "emb_sizes": DIMS[name],
            "angular": True,
        },
        "loss": {
            "_target_": "nemo.collections.asr.losses.AngularSoftmaxLoss",
            "scale": 30,
            "margin": 0.2,
        },
        "optim": {"name": "sgd", "lr": 0.1},
    }


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def file(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from nemo.collections.asr.models import EncDecSpeakerLabelModel
    from omegaconf import OmegaConf

    torch.manual_seed(0)
    model = EncDecSpeakerLabelModel(cfg=OmegaConf.create(settings(name)))
    made: Path = tmp_path_factory.mktemp("nemo") / f"{name}.nemo"
    model.save_to(str(made))
    return made


@pytest.fixture(scope="module")
def extractor(name: str, file: Path) -> Extractor:
    return load_extractor(name, weights=str(file), device="cpu")


def test_rows_are_independent(
    extractor: Extractor, name: str, check: Callable[[Extractor], None]
) -> None:
    assert extractor.dim == DIMS[name]
    check(extractor)


def test_rows_are_those_of_the_library(
    extractor: Extractor, file: Path, clips: list[Waveform]
) -> None:
    from nemo.collections.asr.models import EncDecSpeakerLabelModel

    model = EncDecSpeakerLabelModel.restore_from(str(file), map_location="cpu").eval()
    with torch.inference_mode():
        _, theirs = model(
            input_signal=torch.from_numpy(clips[0])[None],
            input_signal_length=torch.tensor([len(clips[0])]),
        )
    np.testing.assert_allclose(extractor.embed(clips[:1]), theirs.numpy(), rtol=1e-4, atol=1e-6)


def test_only_speakernet_ends_in_a_normalisation(
    extractor: Extractor, name: str, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    np.testing.assert_array_equal(found["embedding"], extractor.embed(clips[:1])[0])
    last = np.array_equal(found["embedding"], found["after normalisation"])
    assert last == (name == "nemo-speakernet")
    np.testing.assert_array_equal(found["waveform"], clips[0])
    assert found["features"].shape[1] == len(clips[0]) // 160


def test_a_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.nemo"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"x.nemo' does not load"):
        load_extractor("nemo-titanet", weights=str(path))


def test_the_recipe_gives_the_librarys_vectors(
    extractor: Extractor, file: Path, clips: list[Waveform]
) -> None:
    from examples.recipes.with_nemo import Embedder

    found = Embedder(str(file))(clips[:2])
    np.testing.assert_allclose(found, extractor.embed(clips[:2]), rtol=1e-3, atol=1e-4)
