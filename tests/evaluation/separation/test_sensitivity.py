from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.separation import sensitivity
from evaluation.separation.distances import Distances

Maker = Callable[..., Path]
Array = NDArray[np.float64]


def distances(own: Array, other: Array) -> Distances:
    return Distances(own=own, other=other, silhouette=np.zeros(len(own)), confused=other < own)


def test_histograms_overlap_as_counted_by_hand() -> None:
    own, other = np.array([0.0, 0.1, 0.2, 0.9]), np.array([0.15, 0.8, 0.95, 1.0])
    # In two bins: 3 and 1 against 1 and 3.
    assert sensitivity.histogram_overlap(distances(own, other), bins=2) == 2 / 4


@pytest.mark.long
def test_every_way_agrees_on_what_is_apart_and_what_is_the_same() -> None:
    rng = np.random.default_rng(0)
    near, far = rng.uniform(0, 0.1, 2000), rng.uniform(0.9, 1, 2000)
    for way in sensitivity.ways().values():
        assert way(distances(near, near)) == pytest.approx(1, abs=1e-3)
        # The widest kernels and the coarsest grid reach a little over the gap.
        assert way(distances(near, far)) < 0.02


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
