import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import silhouette_samples

from evaluation.command.errors import InputError
from evaluation.separation import distances as module
from evaluation.separation.distances import Speaker, cosine_distances, euclidean_distances

Array = NDArray[np.float64]
# Sums of some hundred products of numbers up to 1, in float64: 1e-13 is a thousand roundings.
EXACT = 1e-13


def voices(
    *, speakers: int = 6, rows: int = 5, dim: int = 8, seed: int = 0
) -> tuple[Array, Speaker]:
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(speakers, dtype=np.int32), rows)
    centres = rng.standard_normal((speakers, dim))
    return centres[speaker] + 0.7 * rng.standard_normal((len(speaker), dim)), speaker


def cosine(a: Array, b: Array) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 1 - float(a @ b) / length if length else 1.0


def unit(x: Array) -> Array:
    length = np.linalg.norm(x)
    return x / length if length else x


def brute_force(rows: Array, speaker: Speaker, *, space: str) -> tuple[Array, Array]:
    """Own and nearest other distance by loops over rows and speakers."""
    own, other = np.empty(len(rows)), np.empty(len(rows))
    for i, row in enumerate(rows):
        to = {}
        for k in np.unique(speaker):
            members = rows[speaker == k]
            if space == "cosine":
                to[k] = cosine(row, np.mean([unit(member) for member in members], axis=0))
            else:
                to[k] = float(np.linalg.norm(row - members.mean(axis=0)))
        own[i] = to.pop(speaker[i])
        other[i] = min(to.values())
    return own, other


@pytest.mark.parametrize("block", [8, 40, 1 << 22])
def test_cosine_distances_are_those_of_loops(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    rows, speaker = voices()
    # A row without a direction, and a speaker with one row only.
    rows[3] = 0
    rows, speaker = rows[:-4], speaker[:-4]
    found = cosine_distances(rows, speaker)
    own, other = brute_force(rows, speaker, space="cosine")
    np.testing.assert_allclose(found.own, own, atol=EXACT)
    np.testing.assert_allclose(found.other, other, atol=EXACT)
    expected = silhouette_samples(rows, speaker, metric="cosine")
    np.testing.assert_allclose(found.silhouette, expected, atol=EXACT)


@pytest.mark.parametrize("block", [8, 1 << 22])
def test_euclidean_distances_are_those_of_loops(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    points, speaker = voices(dim=2)
    found = euclidean_distances(points, speaker)
    own, other = brute_force(points, speaker, space="euclidean")
    np.testing.assert_allclose(found.own, own, atol=EXACT)
    np.testing.assert_allclose(found.other, other, atol=EXACT)
    expected = silhouette_samples(points, speaker)
    np.testing.assert_allclose(found.silhouette, expected, atol=EXACT)


def test_a_case_by_hand() -> None:
    # Two speakers, on the axes, and a row of the first that lies with the second.
    points = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [10.0, 0.0], [10.0, 0.0]])
    speaker = np.array([0, 0, 0, 1, 1], np.int32)
    found = euclidean_distances(points, speaker)
    np.testing.assert_array_equal(found.own, [4, 2, 6, 0, 0])
    np.testing.assert_array_equal(found.other, [10, 8, 0, 6, 6])
    np.testing.assert_array_equal(found.confused, [False, False, True, False, False])
    # Row 0: 6 to its own on average, 10 to the others; row 2: 9 and 0; row 3: 0 to its own.
    np.testing.assert_allclose(found.silhouette[[0, 2, 3]], [1 - 6 / 10, -1, 1])


def test_cosine_distances_by_hand() -> None:
    rows = np.array([[1, 0], [5, 0], [0, 3], [0, -1]], float)
    found = cosine_distances(rows, np.array([0, 0, 1, 1], np.int32))
    # The second speaker's rows cancel: a centroid without a direction is 1 from everything.
    np.testing.assert_array_equal(found.own, [0, 0, 1, 1])
    np.testing.assert_array_equal(found.other, [1, 1, 1, 1])
    assert not found.confused.any()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_and_the_length_of_rows_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, speaker = voices(seed=seed)
    order = rng.permutation(len(rows))
    longer = rows * rng.uniform(0.01, 100, (len(rows), 1))
    before = cosine_distances(rows, speaker)
    after = cosine_distances(longer[order], speaker[order])
    for name in ("own", "other", "silhouette"):
        np.testing.assert_allclose(
            getattr(after, name), getattr(before, name)[order], rtol=0, atol=EXACT
        )
    np.testing.assert_array_equal(after.confused, before.confused[order])


def test_centroids_of_rows_as_they_are_are_those_of_loops() -> None:
    rows, speaker = voices()
    rows *= np.random.default_rng(1).uniform(0.01, 100, (len(rows), 1))
    found = cosine_distances(rows, speaker, unit_centroids=False)
    for i, row in enumerate(rows):
        to = [cosine(row, rows[speaker == k].mean(axis=0)) for k in np.unique(speaker)]
        assert found.own[i] == pytest.approx(to.pop(speaker[i]), abs=EXACT)
        assert found.other[i] == pytest.approx(min(to), abs=EXACT)
    even = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = (cosine_distances(even, speaker, unit_centroids=u) for u in (True, False))
    np.testing.assert_allclose(first.own, second.own, atol=EXACT)


def test_one_recording_under_two_names_is_not_confused() -> None:
    rows, _ = voices(speakers=1, rows=7)
    speaker = np.repeat(np.arange(2, dtype=np.int32), 7)
    found = cosine_distances(np.concatenate((rows, rows[::-1])), speaker)
    assert not found.confused.any()


@pytest.mark.parametrize(
    ("speaker", "got"), [([0, 0, 0], "1 with at most 3"), ([0, 1, 2], "3 with at most 1")]
)
def test_separation_needs_speakers_with_several_rows(speaker: list[int], got: str) -> None:
    rows = np.eye(3)
    for measure in (cosine_distances, euclidean_distances):
        with pytest.raises(InputError, match=f"at least 2 speakers, .*; got {got}"):
            measure(rows, np.array(speaker, np.int32))
