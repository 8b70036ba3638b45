"""The repository of ReDimNet cannot be had by a package: a folder of the same form stands in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.probe.architecture import architecture
from evaluation.recordings.audio import Waveform

pytest.importorskip("torchaudio", reason="torchaudio is not installed")

# The names that the extractor relies on: the class, its spec, bn and bn2, and the two entries.
HUBCONF = """
import torch
import torchaudio

dependencies = ["torch", "torchaudio"]


class ReDimNetWrap(torch.nn.Module):
    def __init__(self, F=72, embed_dim=192, emb_bn=False):
        super().__init__()
        self.spec = torchaudio.transforms.MelSpectrogram(n_fft=512, hop_length=160, n_mels=F)
        self.backbone = torch.nn.Conv1d(F, 64, 5)
        self.block = torch.nn.Sequential(*(torch.nn.Conv1d(64, 64, 3, padding=1) for _ in "ab"))
        self.bn = torch.nn.BatchNorm1d(128)
        self.linear = torch.nn.Linear(128, embed_dim)
        self.bn2 = torch.nn.BatchNorm1d(embed_dim) if emb_bn else None

    def forward(self, x):
        x = self.backbone((self.spec(x) + 1e-6).log())
        x = torch.relu(x + self.block(x))
        x = self.linear(self.bn(torch.cat((x.mean(-1), x.std(-1)), -1)))
        return x if self.bn2 is None else self.bn2(x)


def ReDimNet(model_name, train_type="ptn", dataset="vox2"):
    assert (model_name, dataset, train_type) == ("M", "vb2+vox2+cnc", "ft_mix")
    return ReDimNetWrap(embed_dim=32)
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("repository")
    (folder / "hubconf.py").write_text(HUBCONF)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["linear last", "normalised last"])
def weights(
    request: pytest.FixtureRequest, code: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    torch.manual_seed(0)
    config = {"F": 40, "embed_dim": 64, "emb_bn": request.param}
    model = torch.hub.load(str(code), "ReDimNetWrap", source="local", **config)
    # Statistics of batch normalisation that are not those of a new layer.
    model.train()(torch.randn(4, 16000))
    path: Path = tmp_path_factory.mktemp("weights") / "b2-vox2-ptn.pt"
    torch.save({"model_config": config, "state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def extractor(weights: Path, code: Path) -> Extractor:
    return load_extractor("redimnet", weights=str(weights), code=str(code), device="cpu")


def test_rows_are_independent(extractor: Extractor, check: Callable[[Extractor], None]) -> None:
    assert extractor.dim == 64
    check(extractor)


def test_stages_are_around_the_last_normalisation(
    extractor: Extractor, weights: Path, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    np.testing.assert_array_equal(found["embedding"], extractor.embed(clips[:1])[0])
    np.testing.assert_array_equal(found["waveform"], clips[0])
    assert found["features"].shape[0] == 40
    normalised_last = torch.load(weights, weights_only=True)["model_config"]["emb_bn"]
    assert found["after normalisation"].shape == ((64,) if normalised_last else (128,))
    assert normalised_last == np.array_equal(found["embedding"], found["after normalisation"])


def test_a_residual_block_of_the_stand_in_is_found(
    extractor: Extractor, weights: Path, clips: list[Waveform]
) -> None:
    found = architecture(extractor, clips[0])
    normalised_last = torch.load(weights, weights_only=True)["model_config"]["emb_bn"]
    assert (found.residual_blocks, found.ends_in_batch_norm) == (1, normalised_last)


def test_a_published_name_is_taken_apart(code: Path) -> None:
    for given in ("M-vb2+vox2+cnc-ft_mix", None):
        extractor = load_extractor("redimnet", weights=given, code=str(code), device="cpu")
        assert extractor.dim == 32
        assert extractor.identity["weights"] == "M-vb2+vox2+cnc-ft_mix"


def test_a_folder_without_hubconf_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--code must be a folder with hubconf.py; got"):
        load_extractor("redimnet", code=str(tmp_path))
