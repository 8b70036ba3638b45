"""Texts are found by sentence-transformers' vectors, in few bits and exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

st: Any = pytest.importorskip(
    "sentence_transformers", reason="scripts/test --recipes sentence-transformers has it"
)

from examples.recipes.sentences import indexed, nearest

COLOURS = ["red", "green", "blue"]
THINGS = ["bird", "fish", "tree", "stone", "river"]
VERBS = ["sings", "swims", "grows", "rolls", "flows", "sinks", "turns", "waits", "shines", "rests"]
TEXTS = [f"{a} {b} {c}" for a in COLOURS for b in THINGS for c in VERBS]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of one small layer with random weights, made and read without a network."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    folder: Path = tmp_path_factory.mktemp("model")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *COLOURS, *THINGS, *VERBS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    sizes = {"hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(vocabulary), num_hidden_layers=1, **sizes)
    BertModel(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    words = Transformer(str(folder))
    return st.SentenceTransformer(modules=[words, Pooling(64, "mean")], device="cpu")


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_texts_find_themselves_and_answers_are_exact_with_originals(
    model: Any, bits: int, tmp_path: Path
) -> None:
    index = indexed(model, TEXTS, str(tmp_path / "texts"), bits=bits)
    assert index.frame is not None
    x = model.encode(TEXTS, convert_to_numpy=True)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    for i in (0, 40, 149):
        found = nearest(model, index, TEXTS[i], 5, originals=x)
        best = np.sort(unit @ unit[i])[::-1][:5]
        np.testing.assert_allclose([score for _, score in found], best, atol=1e-6)
        assert i in [place for place, _ in found]
        place, score = nearest(model, index, TEXTS[i], 1)[0]
        assert unit[place] @ unit[i] > best[0] - 0.05
        assert score == pytest.approx(float(unit[place] @ unit[i]), abs=0.05)
    index.close()


def test_few_texts_need_no_frame(model: Any) -> None:
    index = indexed(model, TEXTS[:10])
    assert index.frame is None
    assert nearest(model, index, TEXTS[3], 1)[0][1] > 0.9
