"""WeSpeaker's runtime gives the vectors of an ONNX file, of features as it makes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("wespeakerruntime", reason="scripts/test --recipes wespeaker has its runtime")
onnx: Any = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as WeSpeaker exports them, of one layer: the mean over frames, times a matrix."""
    from onnx import TensorProto, helper

    weights = np.random.default_rng(0).standard_normal((80, 16)).astype(np.float32)
    feats = helper.make_tensor_value_info("feats", TensorProto.FLOAT, ["B", "T", 80])
    embs = helper.make_tensor_value_info("embs", TensorProto.FLOAT, ["B", 16])
    nodes = [
        helper.make_node("Mul", ["feats", "feats"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["embs"]),
    ]
    matrix = helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())
    graph = helper.make_graph(nodes, "mean", [feats], [embs], [matrix])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path: Path = tmp_path_factory.mktemp("wespeaker") / "model.onnx"
    onnx.save(made, path)
    return path


def test_the_recipe_gives_the_runtimes_vectors(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import torchaudio

    from examples.recipes.with_wespeaker import Embedder

    rng = np.random.default_rng(1)
    clips: list[Any] = [
        rng.uniform(-0.5, 0.5, 16_000 + 800 * i).astype(np.float32) for i in range(3)
    ]
    embedder = Embedder(str(model))
    found = embedder(clips)
    assert found.shape == (3, 16)
    assert np.isfinite(found).all()
    # What reads files needs a library of its own; all else is the runtime's.
    for clip, vector in zip(clips, found, strict=True):
        read = (torch.from_numpy(clip)[None], 16_000)
        monkeypatch.setattr(torchaudio, "load", lambda path, read=read: read)
        theirs = embedder.speaker.extract_embedding("clip.wav")
        np.testing.assert_allclose(vector, theirs[0], rtol=1e-5, atol=1e-5)
    # Another loudness moves all log energies alike, which their mean takes off.
    np.testing.assert_allclose(embedder([clips[0] / 2])[0], found[0], rtol=1e-3, atol=1e-3)
    assert np.abs(found[0] - found[1]).max() > 1e-3
