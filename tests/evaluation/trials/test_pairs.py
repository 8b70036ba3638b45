import numpy as np
import pytest

from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials import pairs as trials_module
from evaluation.trials.pairs import AllPairs
from tests.evaluation.trials.places import streamed


@pytest.mark.parametrize("batch", [1, 200, 1000, 1 << 22])
def test_all_pairs_streams_each_pair_once(
    voices: Embeddings, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(trials_module, "BATCH", batch)
    seen: dict[int, bool] = {}
    for part in streamed(AllPairs(voices)):
        left, right = (np.broadcast_to(x, part.scores.shape) for x in (part.left, part.right))
        for score, s, t in zip(part.scores.flat, left.flat, right.flat, strict=True):
            i, j = divmod(int(score), 1000)
            assert int(score) not in seen
            assert (s, t) == (voices.speaker[i], voices.speaker[j])
            assert part.target == (s == t)
            seen[int(score)] = part.target
    rows = len(voices)
    assert seen.keys() == {i * 1000 + j for i in range(rows) for j in range(i + 1, rows)}
    assert sum(seen.values()) == AllPairs(voices).targets
