import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.probe.architecture import architecture
from evaluation.recordings.audio import Waveform

transformers = pytest.importorskip("transformers", reason="transformers is not installed")


@pytest.fixture(scope="module", params=["base", "large"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the base's kind (one normalisation over time) or of the large one's."""
    torch.manual_seed(0)
    large = request.param == "large"
    config = transformers.WavLMConfig(
        hidden_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=192,
        conv_dim=(64,) * 7,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=4,
        do_stable_layer_norm=large,
        feat_extract_norm="layer" if large else "group",
        tdnn_dim=(64, 64, 64, 64, 192),
        xvector_output_dim=512,
        num_labels=3,
    )
    made: Path = tmp_path_factory.mktemp("wavlm")
    transformers.WavLMForXVector(config).save_pretrained(made)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=large).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def extractor(folder: Path) -> Extractor:
    return load_extractor("wavlm", weights=str(folder), device="cpu")


def test_rows_are_independent(extractor: Extractor, check: Callable[[Extractor], None]) -> None:
    assert extractor.dim == 512
    check(extractor)


def test_rows_are_those_of_the_library(
    extractor: Extractor, folder: Path, clips: list[Waveform]
) -> None:
    model = transformers.WavLMForXVector.from_pretrained(folder).eval()
    prepare = transformers.AutoFeatureExtractor.from_pretrained(folder)
    with torch.inference_mode():
        given = prepare(clips[0], sampling_rate=16000, return_tensors="pt")
        theirs = model(**given).embeddings[0].numpy()
    np.testing.assert_allclose(extractor.embed(clips[:1])[0], theirs, rtol=1e-4, atol=1e-6)


def test_stages_are_the_waveform_and_those_of_the_last_layer(
    extractor: Extractor, folder: Path, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    assert list(found) == ["features", "before last layer", "after last layer", "embedding"]
    np.testing.assert_array_equal(found["after last layer"], found["embedding"])
    assert found["features"].shape == clips[0].shape
    layer = transformers.WavLMForXVector.from_pretrained(folder).feature_extractor
    weight, bias = (one.detach().numpy() for one in (layer.weight, layer.bias))
    made = weight @ found["before last layer"] + bias
    np.testing.assert_allclose(made, found["embedding"], atol=1e-5)


def test_a_transformer_has_no_residual_block_of_convolutions(
    extractor: Extractor, clips: list[Waveform]
) -> None:
    found = architecture(extractor, clips[0])
    assert (found.residual_blocks, found.ends_in_batch_norm) == (0, False)


def test_a_folder_that_does_not_load_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"'{tmp_path}' does not load"):
        load_extractor("wavlm", weights=str(tmp_path))


def test_code_in_a_folder_of_wavlm_is_refused_without_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a word of ours the library asks, and takes yes for an answer."""
    victim = tmp_path / "victim"
    (tmp_path / "attack.py").write_text(
        f"from pathlib import Path\nPath({str(victim)!r}).touch()\n"
        "from transformers import Wav2Vec2FeatureExtractor\n"
        "class Attack(Wav2Vec2FeatureExtractor): pass\n"
    )
    settings = {"auto_map": {"AutoFeatureExtractor": "attack.Attack"}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    monkeypatch.setattr("builtins.input", lambda question: "y")
    with pytest.raises(InputError, match=r"(?s)wavlm: .* does not load .*trust_remote_code"):
        load_extractor("wavlm", weights=str(tmp_path), device="cpu")
    assert not victim.exists()
    # The attack is one.
    transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    assert victim.exists()
