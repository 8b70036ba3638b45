"""The study's definitions, held to a rewrite by SciPy, scikit-learn and umap-learn alone."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

import minifloat as mf
from evaluation.__main__ import main
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.separation import study as study_module
from evaluation.separation.definitions import AS_PUBLISHED, Definitions
from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.oiidd import OIIDD
from evaluation.separation.speaker_map import MapOptions, required_umap, speaker_map
from evaluation.separation.study import SeparationStudy, Space, separation_study, steps_of
from evaluation.separation.tables.published import MEASURED, published
from evaluation.separation.tables.told import Told
from tests.support.paths import ROOT

Maker = Callable[..., Path]
Array = NDArray[np.float64]
EXACT = 1e-9


def oiidd(own: Array, other: Array) -> float:
    samples = np.concatenate((own, other))
    points = np.linspace(samples.min(), samples.max(), 500)
    densities = [gaussian_kde(sample)(points) for sample in (own, other)]
    return float(trapezoid(np.minimum(*densities), points))


def rewritten(near: Array, speaker: NDArray[np.int32]) -> tuple[float, int]:
    """OIIDD and CCR by how near (rows, speakers) each row is to each centroid."""
    rows = np.arange(len(near))
    own = near[rows, speaker]
    others = near.copy()
    others[rows, speaker] = -np.inf
    return oiidd(own, others.max(axis=1)), int((near.argmax(axis=1) != speaker).sum())


def centroids(rows: Array, speaker: NDArray[np.int32]) -> Array:
    return np.stack([rows[speaker == one].mean(axis=0) for one in np.unique(speaker)])


def by_cosine(rows: Array, speaker: NDArray[np.int32]) -> list[float]:
    near = cosine_similarity(rows, centroids(rows, speaker))
    return [*rewritten(near, speaker), silhouette_score(rows, speaker, metric="cosine")]


def on_map(points: Array, speaker: NDArray[np.int32]) -> list[float]:
    near = -euclidean_distances(points, centroids(points, speaker))
    return [*rewritten(near, speaker), silhouette_score(points, speaker)]


def studied(embeddings: Embeddings, definitions: Definitions = AS_PUBLISHED) -> SeparationStudy:
    return separation_study(embeddings, steps_of([mf.E2M1], []), definitions=definitions, draws=5)


def figures(study: SeparationStudy, space: Space) -> list[float]:
    row = study.float32(space).row
    return [row[metric].value for metric in METRICS]


@pytest.fixture
def loud(make_file: Maker) -> Embeddings:
    """Rows of very different lengths, of which centroids of unit rows are others."""
    path = make_file(name="loud", spread=1.5, speakers=9, utterances=8)
    arrays = dict(np.load(path))
    lengths = np.random.default_rng(7).uniform(0.05, 20, (72, 1)).astype(np.float32)
    return load_embeddings(
        make_file(name="loud", **(arrays | {"embeddings": arrays["embeddings"] * lengths}))
    )


@pytest.mark.usefixtures("quick_map")
def test_cosine_figures_are_those_of_the_rewrite(loud: Embeddings) -> None:
    found = figures(studied(loud), Space.COSINE)
    expected = by_cosine(loud.rows.astype(np.float64), loud.speaker)
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)
    # With the default definitions they are others, or this would prove nothing.
    default = figures(studied(loud, Definitions()), Space.COSINE)
    assert abs(default[0] - expected[0]) > 1e-3
    assert default[1] != expected[1]


def test_map_figures_are_those_of_the_rewrite(
    loud: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the quick map of other tests.
    monkeypatch.setattr(study_module, "speaker_map", speaker_map)
    study = studied(loud)
    with pytest.warns(UserWarning, match="n_jobs value 1 overridden"):
        points = required_umap().UMAP(n_components=2, random_state=42).fit_transform(loud.rows)
    # One machine makes one map of one seed.
    found = study.float32(Space.MAP).points
    assert found is not None
    np.testing.assert_array_equal(found, points)
    expected = on_map(points.astype(np.float64), loud.speaker)
    np.testing.assert_allclose(figures(study, Space.MAP), expected, rtol=0, atol=EXACT)


@pytest.mark.usefixtures("quick_map")
def test_distances_on_any_map_are_measured_as_in_the_rewrite(loud: Embeddings) -> None:
    study = studied(loud)
    points = study.float32(Space.MAP).points
    assert points is not None
    expected = on_map(points.astype(np.float64), loud.speaker)
    np.testing.assert_allclose(figures(study, Space.MAP), expected, rtol=0, atol=EXACT)


def test_of_equally_near_centroids_the_first_is_taken() -> None:
    # Both speakers have the centroid (1, 1).
    rows = np.array([[2, 0], [0, 2], [0, 2], [2, 0]], np.float32)
    speaker = np.array([0, 0, 1, 1], np.int32)
    for distances in AS_PUBLISHED.cosine(rows, speaker), AS_PUBLISHED.on_map(rows, speaker):
        np.testing.assert_array_equal(distances.confused, [False, False, True, True])
    assert not Definitions().cosine(rows, speaker).confused.any()


def test_the_map_is_umaps_own_but_for_its_seed() -> None:
    words = "n_neighbors 15, min_dist 0.1, metric euclidean, init spectral"
    assert AS_PUBLISHED.map.words().startswith(words)
    made = required_umap().UMAP()
    assert (made.n_neighbors, made.min_dist, made.metric, made.init) == (
        AS_PUBLISHED.map.neighbors,
        AS_PUBLISHED.map.min_dist,
        AS_PUBLISHED.map.metric,
        AS_PUBLISHED.map.init,
    )
    assert AS_PUBLISHED.map.seed == 42


@pytest.mark.usefixtures("quick_map")
def test_values_without_spread_make_a_report(make_file: Maker, tmp_path: Path) -> None:
    path = make_file(embeddings=np.ones((72, 4), np.float32))
    out = ["--formats", "e2m1", "--draws", "5", "--out", str(tmp_path / "report")]
    assert main(["separation", str(path), "--as-published", *out]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--umap-metric", "cosine"], "--umap-metric must be euclidean .*; got cosine"),
        (["--umap-init", "pca"], "--umap-init must be spectral .*; got pca"),
        (["--umap-neighbors", "30"], "--umap-neighbors must be 15 .*; got 30"),
        (["--umap-min-dist", "0"], "--umap-min-dist must be 0.1 .*; got 0"),
        (["--seed", "0"], "--seed must be 42 or left out with --as-published, .*; got 0"),
        (["--cone", "0.9"], "--as-published takes embeddings as they are; got --cone 0.9"),
    ],
)
def test_options_that_contradict_the_study_are_refused(
    make_file: Maker, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["separation", str(make_file()), "--as-published", *arguments]) == 2
    assert re.search(f"^error: {message}", capsys.readouterr().err)


@pytest.mark.usefixtures("quick_map")
def test_a_report_as_published_tells_it(make_file: Maker, tmp_path: Path) -> None:
    path, out = make_file(name="voices"), tmp_path / "report"
    arguments = ["--formats", "e2m1", "--draws", "5", "--seed", "42", "--umap-init", "spectral"]
    arguments += ["--as-published", "--out", str(out)]
    assert main(["separation", str(path), *arguments]) == 0
    page = (out / "report.html").read_text()
    for part in (
        "metric euclidean, init spectral, n_components 2, random_state 42",
        "500 points and reaches from the least to the greatest distance",
        "Vectors are taken as they are, so that longer ones count more.",
        "0.138527",
        "0.857031",
    ):
        assert part in page
    with (out / "metrics.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    embeddings = load_embeddings(path)
    expected = by_cosine(embeddings.rows.astype(np.float64), embeddings.speaker)
    found = [float(first[metric.name]) for metric in METRICS]
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)


@pytest.mark.usefixtures("quick_map")
def test_maps_stand_beside_published_ones_only_where_they_are_made_alike(loud: Embeddings) -> None:
    study = studied(loud, Definitions(map=MapOptions(seed=1)))
    table = published(Told(studies=[study]))
    assert not any("Euclidean" in column.heading for column in table.columns)
    area, ccr, _ = by_cosine(loud.rows.astype(np.float64), loud.speaker)
    row = study.float32(Space.COSINE).row
    assert f"OIIDD {area:.6f} instead of {row[OIIDD].value:.6f}" in table.note
    assert f"CCR {ccr} instead of {row[CCR].value:.0f}" in table.note
    assert "silhouette were 0.043, 103 and 0.925 by the definitions here" in table.note
    assert "and 0.056, 106 and 0.918 by the study's" in table.note
    alike = published(Told(studies=[studied(loud)], as_published=True))
    assert sum("Euclidean" in column.heading for column in alike.columns) == 3
    assert "instead of" not in alike.note


def test_what_the_map_changes_is_told_as_on_the_page() -> None:
    lines = (ROOT / "docs" / "studies" / "separation.md").read_text().splitlines()
    for name, figures in zip(("default", "as published"), MEASURED, strict=True):
        (line,) = (one for one in lines if one.startswith(f"| CAM++ | {name} |"))
        assert line.strip("| ").split(" | ")[-3:] == list(figures)
