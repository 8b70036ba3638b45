"""scikit-learn takes the estimators for its own."""

import importlib
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.cluster import DBSCAN
from sklearn.metrics import v_measure_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    parametrize_with_checks,
)

from minifloat.estimators import PackedNeighbors, PackedNeighborsTransformer
from tests.support.paths import ROOT

SAMPLE = ROOT / "evaluation" / "samples" / "so762-campplus.npz"


@pytest.fixture(scope="module")
def voices() -> tuple[NDArray[np.float32], NDArray[Any]]:
    with np.load(SAMPLE) as sample:
        return sample["embeddings"][:400], sample["speaker"][:400]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [PackedNeighbors(), PackedNeighborsTransformer()]
)
def test_checks_of_scikit_learn_pass(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("kind", [PackedNeighbors, PackedNeighborsTransformer])
def test_columns_of_data_frames_have_names(kind: Any) -> None:
    pytest.importorskip("pandas")
    check_dataframe_column_names_consistency(kind.__name__, kind())


# A score is off by 5.01 u, or in the lane of floats by (dim + 5) u, and float32 rows are too.
TOLERANCE = 2 * (192 + 5) * 2.0**-24


def test_neighbours_are_those_of_scikit_learn(
    format: mf.Format, voices: tuple[NDArray[np.float32], NDArray[Any]]
) -> None:
    x, queries = voices[0][:300], voices[0][300:350]
    packed = PackedNeighbors(7, format=format).fit(x)
    decoded = packed.vectors_.dequantize()
    exact = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(decoded)
    # Of themselves, packed rows are asked as they are.
    distances, rows = packed.kneighbors()
    # One more tells whether another row is as near as the last one.
    expected, theirs = exact.kneighbors(n_neighbors=8)
    is_apart = (np.diff(expected, axis=1) > 2 * TOLERANCE).all(1)
    expected, theirs = expected[:, :7], theirs[:, :7]
    np.testing.assert_allclose(distances, expected, atol=TOLERANCE)
    # Where no two distances are as near to each other as roundings are, the rows are the same.
    assert is_apart.mean() > 0.8
    assert (rows[is_apart] == theirs[is_apart]).all()
    assert (rows != np.arange(300)[:, None]).all()
    distances, rows = packed.kneighbors(queries)
    # A query of floats is off by half a step of 1 / 1024 of its largest value at most.
    expected, _ = exact.kneighbors(queries.astype(np.float64))
    np.testing.assert_allclose(distances, expected, atol=1e-3)
    assert (rows == packed.kneighbors(queries, return_distance=False)).all()


def test_radius_and_graphs_tell_of_the_same_rows(
    voices: tuple[NDArray[np.float32], NDArray[Any]],
) -> None:
    x = voices[0][:200]
    packed = PackedNeighbors(radius=0.4).fit(x)
    distances, rows = packed.radius_neighbors()
    sorted_distances, sorted_rows = packed.radius_neighbors(sort_results=True)
    graph = packed.radius_neighbors_graph(mode="distance")
    ones = packed.radius_neighbors_graph()
    all_distances, all_rows = packed.kneighbors(n_neighbors=199)
    for i in range(200):
        is_near = all_distances[i] <= 0.4
        assert {*rows[i]} == {*all_rows[i][is_near]}
        assert (np.diff(rows[i]) > 0).all()
        assert (sorted_rows[i] == all_rows[i][is_near]).all()
        assert (np.sort(distances[i]) == sorted_distances[i]).all()
        assert (graph[i].indices == rows[i]).all()
        assert (graph[i].data == distances[i]).all()
        assert ones[i].nnz == len(rows[i])
    assert graph.shape == (200, 200)
    assert (packed.radius_neighbors(x[:2], radius=3)[1][0] == np.arange(200)).all()


def test_many_copies_of_a_row_do_not_find_themselves() -> None:
    x = np.repeat(np.eye(4, 8), 5, axis=0)
    distances, rows = PackedNeighbors(2).fit(x).kneighbors()
    assert (distances == 0).all()
    assert (rows != np.arange(20)[:, None]).all()
    assert (rows // 5 == np.arange(20)[:, None] // 5).all()


def test_pipelines_cluster_and_classify_speakers(
    voices: tuple[NDArray[np.float32], NDArray[Any]],
) -> None:
    x, speaker = voices
    graph = PackedNeighborsTransformer(10, frame="fit", format="e2m1")
    clusters = make_pipeline(graph, DBSCAN(eps=0.35, metric="precomputed")).fit_predict(x)
    assert v_measure_score(speaker, clusters) > 0.85
    pipeline = make_pipeline(graph, KNeighborsClassifier(5, metric="precomputed"))
    search = GridSearchCV(
        pipeline,
        {"packedneighborstransformer__format": ["e2m1", "e3m4"]},
        cv=4,
        error_score="raise",
    )
    search.fit(x, speaker)
    assert search.best_score_ > 0.9


def test_copies_and_pickles_find_the_same(
    voices: tuple[NDArray[np.float32], NDArray[Any]],
) -> None:
    x = voices[0]
    fitted = PackedNeighbors(3, frame=mf.Frame.fit(x), format="e2m1").fit(x)
    again = pickle.loads(pickle.dumps(fitted))
    refitted = clone(fitted).fit(x)
    assert again.vectors_ == fitted.vectors_ == refitted.vectors_
    assert (again.kneighbors(x[:5])[1] == fitted.kneighbors(x[:5])[1]).all()


def test_a_missing_scikit_learn_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "minifloat.estimators")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install 'minifloat\[sklearn\]'"):
        importlib.import_module("minifloat.estimators")


def test_one_row_has_no_neighbour() -> None:
    with pytest.raises(ValueError, match="no other row"):
        PackedNeighbors(1).fit(np.ones((1, 4))).kneighbors()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one, x: one.kneighbors(x, 11), r"n_neighbors must be 1 to 10, .*; got 11"),
        (lambda one, x: one.kneighbors(n_neighbors=10), r"n_neighbors must be 1 to 9, .*; got 10"),
        (lambda one, x: one.radius_neighbors(x, -0.5), r"radius must be 0 or more; got -0.5"),
        (lambda one, x: one.kneighbors_graph(x, 2, "far"), r"mode must be .*; got 'far'"),
        (lambda one, x: one.set_params(frame="fitted").fit(x), r"frame must be .*; got 'fitted'"),
        (lambda one, x: one.set_params(format="e4m4").fit(x), r"got 'e4m4'"),
    ],
)
def test_wrong_values_are_named(call: Any, message: str) -> None:
    x = np.random.default_rng(0).standard_normal((10, 6))
    with pytest.raises(ValueError, match=message):
        call(PackedNeighbors().fit(x), x)
