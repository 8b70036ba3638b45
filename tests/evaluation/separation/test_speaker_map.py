import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.__main__ import main
from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import Embeddings
from evaluation.separation.distances import euclidean_distances
from evaluation.separation.speaker_map import MapOptions, required_umap, speaker_map

Maker = Callable[..., Path]
ANOTHER_PROCESS = """
import sys, numpy as np
from evaluation.separation.speaker_map import MapOptions, speaker_map
rows = np.load(sys.argv[1])
sys.stdout.buffer.write(speaker_map(rows, MapOptions(neighbors=5, seed=3)).tobytes())
"""


@pytest.fixture
def rows() -> NDArray[np.float32]:
    """Six rows of each of twelve speakers, who are far apart."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(rng.standard_normal((12, 16)), 6, axis=0)
    return (speakers + 0.1 * rng.standard_normal((72, 16))).astype(np.float32)


@pytest.mark.long
def test_one_seed_makes_one_map_in_every_process(rows: NDArray[np.float32], tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", rows)
    program = [sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path / "rows.npy")]
    other = subprocess.run(program, capture_output=True, check=True).stdout
    points = speaker_map(rows, MapOptions(neighbors=5, seed=3))
    assert points.shape == (72, 2)
    assert points.tobytes() == other
    assert points.tobytes() == speaker_map(rows, MapOptions(neighbors=5, seed=3)).tobytes()
    assert points.tobytes() != speaker_map(rows, MapOptions(neighbors=5, seed=4)).tobytes()


@pytest.mark.long
def test_speakers_that_are_apart_are_apart_on_the_map(rows: NDArray[np.float32]) -> None:
    for init in ("pca", "spectral"):
        points = speaker_map(rows, MapOptions(neighbors=5, init=init))
        speaker = np.repeat(np.arange(12, dtype=np.int32), 6)
        assert not euclidean_distances(points, speaker).confused.any()


def test_rows_that_are_all_the_same_have_one_place() -> None:
    np.testing.assert_array_equal(speaker_map(np.ones((30, 4), np.float32), MapOptions()), 0)


def test_zero_rows_have_a_place(voices: Embeddings) -> None:
    rows = voices.rows.copy()
    rows[::3] = 0
    assert np.isfinite(speaker_map(rows, MapOptions())).all()


@pytest.mark.parametrize("neighbors", [1, 72])
def test_neighbours_must_be_among_the_rows(neighbors: int) -> None:
    with pytest.raises(InputError, match=f"must be from 2 to 71, .*; got {neighbors}"):
        MapOptions(neighbors=neighbors).check(rows=72)


def test_umap_missing_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r'needs umap, .*; pip install "minifloat\[separation\]"'):
        required_umap()


def test_umap_itself_makes_a_report(make_file: Maker, tmp_path: Path) -> None:
    arguments = ["--formats", "e2m1", "--umap-formats", "none", "--umap-neighbors", "5"]
    arguments += ["--umap-metric", "euclidean", "--umap-init", "spectral", "--seed", "3"]
    out = tmp_path / "report"
    assert (
        main(["separation", str(make_file()), "--draws", "5", "--out", str(out), *arguments]) == 0
    )
    page = (out / "report.html").read_text()
    assert "n_neighbors 5, min_dist 0.1, metric euclidean, init spectral" in page
    assert not (out / "voices-map-e2m1.svg").exists()
