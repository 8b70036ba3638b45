from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor, StagedExtractor, load_extractor
from evaluation.recordings.audio import Waveform
from tests.support.attack import Attack

pytest.importorskip("pyannote.audio", reason="pyannote.audio is not installed")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lightning.pytorch import Trainer
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet

    torch.manual_seed(0)
    model = XVectorSincNet(sample_rate=16000, num_channels=1, dimension=512)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=3.0, classes=["a"]
    )
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(model)
    made: Path = tmp_path_factory.mktemp("pyannote") / "model.ckpt"
    trainer.save_checkpoint(made)
    return made


@pytest.fixture(scope="module")
def extractor(checkpoint: Path) -> Extractor:
    return load_extractor("pyannote", weights=str(checkpoint), device="cpu")


def test_rows_are_independent(extractor: Extractor, check: Callable[[Extractor], None]) -> None:
    assert extractor.dim == 512
    check(extractor)


def test_rows_are_those_of_the_library(
    extractor: Extractor, checkpoint: Path, clips: list[Waveform]
) -> None:
    from pyannote.audio import Inference, Model

    inference = Inference(Model.from_pretrained(checkpoint), window="whole")
    given = {"waveform": torch.from_numpy(clips[0])[None], "sample_rate": 16000}
    theirs = np.asarray(inference(given)).reshape(-1)
    np.testing.assert_allclose(extractor.embed(clips[:1])[0], theirs, rtol=1e-4, atol=1e-6)


def test_stages_are_the_waveform_and_those_of_the_last_layer(
    extractor: Extractor, clips: list[Waveform]
) -> None:
    assert isinstance(extractor, StagedExtractor)
    found = extractor.stages(clips[0])
    assert list(found) == ["features", "before last layer", "after last layer", "embedding"]
    np.testing.assert_array_equal(found["after last layer"], found["embedding"])
    assert found["before last layer"].shape == (3000,)
    np.testing.assert_array_equal(found["features"], clips[0])


def test_a_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"x.ckpt' does not load"):
        load_extractor("pyannote", weights=str(path))


def test_a_checkpoint_of_pyannote_runs_what_it_names(tmp_path: Path) -> None:
    """Of its nature: docs/reference/files.md says so, and this is why."""
    weights, victim = tmp_path / "model.ckpt", tmp_path / "victim"
    torch.save({"state_dict": Attack(victim)}, weights)
    with pytest.raises(InputError, match=r"^pyannote: .* does not load"):
        load_extractor("pyannote", weights=str(weights), device="cpu")
    assert victim.exists()


def test_the_recipe_gives_the_librarys_vectors_and_names_its_speakers(
    extractor: Extractor, checkpoint: Path, clips: list[Waveform]
) -> None:
    from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
    from pyannote.core import Annotation, Segment

    from examples.recipes.voices import Voices
    from examples.recipes.with_pyannote import Embedder, named

    vectors = Embedder(str(checkpoint))(clips[:3])
    np.testing.assert_allclose(vectors, extractor.embed(clips[:3]), rtol=1e-4, atol=1e-6)
    voices = Voices.create(512, 0.999, format="e3m4")
    voices.enrol("Ada", vectors[1:2])
    spoken = Annotation()
    for i in range(3):
        spoken[Segment(i, i + 1)] = f"SPEAKER_0{i}"
    # Rows beyond those of labels are left out.
    given = np.concatenate([[-vectors[0], vectors[1], -vectors[2]], vectors[:1]])
    output = DiarizeOutput(spoken, spoken, given)
    assert named(output, voices).labels() == ["Ada", "SPEAKER_00", "SPEAKER_02"]
    with pytest.raises(ValueError, match="got an output without them"):
        named(DiarizeOutput(spoken, spoken, None), voices)
    with pytest.raises(ValueError, match="got an output without them"):
        named(spoken, voices)
