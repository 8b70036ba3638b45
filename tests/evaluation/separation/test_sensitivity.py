from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.embeddings.embeddings import Embeddings
from evaluation.separation import sensitivity
from evaluation.separation.distances import Distances, cosine_distances
from evaluation.separation.overlap import overlap

Maker = Callable[..., Path]


def test_histograms_overlap_as_counted_by_hand() -> None:
    own, other = np.array([0.0, 0.1, 0.2, 0.9]), np.array([0.15, 0.8, 0.95, 1.0])
    distances = Distances(own=own, other=other, silhouette=np.zeros(4))
    # In two bins: 3 and 1 against 1 and 3.
    assert sensitivity.histogram_overlap(distances, bins=2) == 2 / 4


@pytest.mark.long
def test_every_way_agrees_on_what_is_apart_and_what_is_the_same() -> None:
    rng = np.random.default_rng(0)
    near, far = rng.uniform(0, 0.1, 2000), rng.uniform(0.9, 1, 2000)
    for way in sensitivity.ways().values():
        same = Distances(own=near, other=near, silhouette=near)
        assert way(same) == pytest.approx(1, abs=1e-3)
        # The widest kernels and the coarsest grid reach a little over the gap.
        assert way(Distances(own=near, other=far, silhouette=near)) < 0.02


def test_centroids_of_rows_of_one_length_are_the_same_either_way(voices: Embeddings) -> None:
    rows = voices.rows / np.linalg.norm(voices.rows, axis=1, keepdims=True)
    even = Embeddings(**(vars(voices) | {"rows": rows}))
    area, ccr = sensitivity.to_centroids_of_lengths(even)
    found = cosine_distances(rows, voices.speaker)
    assert area == pytest.approx(overlap(found.own, found.other).area, rel=1e-6)
    assert ccr == found.confused.sum()


def test_the_tables_are_printed(
    make_file: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sensitivity, "speaker_map", lambda rows, options: rows[:, :2])
    sensitivity.main([str(make_file(name="one"))])
    tables = capsys.readouterr().out.strip().split("\n\n")
    assert [table.splitlines()[0] for table in tables] == [
        "| density | one, cosine | one, Euclidean |",
        "| centroid of | one OIIDD | one CCR |",
        "| map | one OIIDD | one CCR | one silhouette |",
    ]
    assert len(tables[0].splitlines()) == 2 + len(sensitivity.ways())
