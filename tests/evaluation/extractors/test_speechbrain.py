from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.recordings.audio import Waveform

pytest.importorskip("speechbrain", reason="speechbrain is not installed")

# The published model's own settings; its classifier and labels are not needed here.
HYPERPARAMETERS = """
n_mels: 80
pretrained_path: nobody/no-such-model
compute_features: !new:speechbrain.lobes.features.Fbank
  n_mels: !ref <n_mels>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
  norm_type: sentence
  std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
  input_size: !ref <n_mels>
  channels: [1024, 1024, 1024, 1024, 3072]
  kernel_sizes: [5, 3, 3, 3, 1]
  dilations: [1, 2, 3, 4, 1]
  groups: [1, 1, 1, 1, 1]
  attention_channels: 128
  lin_neurons: 192
classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
  input_size: 192
  out_neurons: 5
modules:
  compute_features: !ref <compute_features>
  mean_var_norm: !ref <mean_var_norm>
  embedding_model: !ref <embedding_model>
  classifier: !ref <classifier>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
  loadables:
    embedding_model: !ref <embedding_model>
  paths:
    embedding_model: !ref <pretrained_path>/embedding_model.ckpt
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    torch.manual_seed(0)
    network = ECAPA_TDNN(80, lin_neurons=192, channels=[1024, 1024, 1024, 1024, 3072])
    made: Path = tmp_path_factory.mktemp("speechbrain")
    torch.save(network.state_dict(), made / "embedding_model.ckpt")
    (made / "hyperparams.yaml").write_text(HYPERPARAMETERS)
    return made


@pytest.fixture(scope="module")
def extractor(folder: Path) -> Extractor:
    return load_extractor("speechbrain-ecapa", weights=str(folder), device="cpu")


def test_rows_are_independent(extractor: Extractor, check: Callable[[Extractor], None]) -> None:
    assert extractor.dim == 192
    check(extractor)


def test_rows_are_those_of_the_library(
    extractor: Extractor, folder: Path, clips: list[Waveform]
) -> None:
    from speechbrain.inference.classifiers import EncoderClassifier

    model = EncoderClassifier.from_hparams(
        source=str(folder), overrides={"pretrained_path": str(folder)}
    )
    with torch.inference_mode():
        theirs = model.encode_batch(torch.from_numpy(clips[0]))[0, 0].numpy()
    np.testing.assert_allclose(extractor.embed(clips[:1])[0], theirs, atol=1e-6)
    assert torch.equal(
        model.mods.embedding_model.fc.conv.weight,
        torch.load(folder / "embedding_model.ckpt", weights_only=True)["fc.conv.weight"],
    )


def test_stages_end_in_the_embedding(extractor: Extractor, clips: list[Waveform]) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    np.testing.assert_array_equal(found["embedding"], extractor.embed(clips[:1])[0])
    banks = found["filter banks"]
    np.testing.assert_allclose(found["features"], banks - banks.mean(axis=0), atol=1e-3)
    assert banks.mean() < -1
    assert found["before normalisation"].shape == found["after normalisation"].shape == (6144,)


def test_a_folder_that_does_not_load_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"'{tmp_path}' does not load"):
        load_extractor("speechbrain-ecapa", weights=str(tmp_path))


def test_a_folder_of_speechbrain_runs_what_it_names(tmp_path: Path) -> None:
    """Of its nature: docs/reference/files.md says so, and this is why."""
    victim = tmp_path / "victim"
    attack = f"x: !apply:pathlib.Path.touch\n  - !new:pathlib.Path\n    - {victim}\n"
    (tmp_path / "hyperparams.yaml").write_text(attack)
    with pytest.raises(InputError, match=r"speechbrain-ecapa: .* does not load"):
        load_extractor("speechbrain-ecapa", weights=str(tmp_path), device="cpu")
    assert victim.exists()


def test_the_recipe_gives_the_librarys_vectors(
    extractor: Extractor, folder: Path, clips: list[Waveform]
) -> None:
    from examples.recipes.with_speechbrain import Embedder

    found = Embedder(str(folder))(clips[:2])
    np.testing.assert_allclose(found, extractor.embed(clips[:2]), rtol=1e-4, atol=1e-5)
