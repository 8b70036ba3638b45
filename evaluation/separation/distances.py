"""How far each row is from its own speaker and from the nearest other one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import at_unit_length

# Distances to centroids held at one time: 32 MiB.
BLOCK = 1 << 22
# Distances between rows that scikit-learn holds at one time, in MiB.
WORKING_MEMORY = 256
# Centroids of equal recordings differ by rounding alone, which is no confusion.
ROUNDING = 1e-12

Array = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
Speaker = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Each row's distance to its own speaker's centroid and to the nearest other, its silhouette.

    A centroid is the mean of all rows of a speaker, the row in question included. `confused` are
    the rows that are nearer to another speaker's centroid than to their own.
    """

    own: Array
    other: Array
    silhouette: Array
    confused: NDArray[np.bool_]


def cosine_distances(
    rows: Rows, speaker: Speaker, *, unit_centroids: bool = True, argmax: bool = False
) -> Distances:
    """Return the cosine distances of rows (rows, dim).

    A centroid is the mean of rows at unit length, so that their length plays no part, or else of
    rows as they are. A zero row has distance 1 to everything. A row is confused where another
    centroid is nearer by more than rounding; with `argmax`, where the first of the nearest
    centroids is not its own. `speaker` counts from 0, leaving out no number.
    """
    sizes = _sizes(speaker)
    sums, raw = (np.zeros((len(sizes), rows.shape[1])) for _ in range(2))
    for block in _blocks(rows, rows.shape[1]):
        np.add.at(sums, speaker[block], at_unit_length(rows[block]))
        if not unit_centroids:
            np.add.at(raw, speaker[block], rows[block].astype(np.float64))
    centroids = at_unit_length(sums if unit_centroids else raw)
    own, other, silhouette = (np.empty(len(rows)) for _ in range(3))
    nearest = np.empty(len(rows), np.int64)
    for block in _blocks(rows, max(rows.shape[1], len(sizes))):
        unit, mine = at_unit_length(rows[block]), speaker[block]
        cosines = unit @ centroids.T
        nearest[block] = cosines.argmax(axis=1)
        own[block], other[block] = _own_and_nearest(1 - cosines, mine)
        # The mean cosine of a row with a speaker's rows is its dot with the mean of those rows:
        # no pair of rows has to be looked at.
        apart = sizes - unit @ sums.T
        to_itself = 1 - np.einsum("ij,ij->i", unit, unit)
        silhouette[block] = _silhouette(apart, to_itself, mine, sizes)
    # Rounding leaves a row on its centroid at -1e-16.
    own, other = np.maximum(own, 0), np.maximum(other, 0)
    confused = nearest != speaker if argmax else _nearer(other, own)
    return Distances(own=own, other=other, silhouette=silhouette, confused=confused)


def euclidean_distances(points: Rows, speaker: Speaker, *, argmax: bool = False) -> Distances:
    """Return the Euclidean distances of points (rows, dim); `argmax` as for cosine distances."""
    sizes = _sizes(speaker)
    points = points.astype(np.float64)
    centroids = np.zeros((len(sizes), points.shape[1]))
    np.add.at(centroids, speaker, points)
    centroids /= sizes[:, None]
    own, other = np.empty(len(points)), np.empty(len(points))
    nearest = np.empty(len(points), np.int64)
    for block in _blocks(points, len(sizes)):
        distances = cdist(points[block], centroids)
        nearest[block] = distances.argmin(axis=1)
        own[block], other[block] = _own_and_nearest(distances, speaker[block])
    with sklearn.config_context(working_memory=WORKING_MEMORY):
        silhouette = silhouette_samples(points, speaker, metric="euclidean")
    confused = nearest != speaker if argmax else _nearer(other, own)
    return Distances(own=own, other=other, silhouette=silhouette, confused=confused)


def _nearer(other: Array, own: Array) -> NDArray[np.bool_]:
    return np.asarray(other < own - ROUNDING)


def _sizes(speaker: Speaker) -> NDArray[np.int64]:
    sizes = np.bincount(speaker).astype(np.int64)
    if len(sizes) < 2 or sizes.max() < 2:
        raise InputError(
            "separation needs at least 2 speakers, one of them with 2 rows or more; "
            f"got {len(sizes)} with at most {sizes.max(initial=0)}"
        )
    return sizes


def _blocks(rows: Rows, columns: int) -> Iterator[slice]:
    step = max(1, BLOCK // columns)
    for start in range(0, len(rows), step):
        yield slice(start, min(start + step, len(rows)))


def _own_and_nearest(distances: Array, mine: Speaker) -> tuple[Array, Array]:
    """Return the distance to the own and to the nearest other column; `distances` is spoilt."""
    places = np.arange(len(mine))
    own = distances[places, mine].copy()
    distances[places, mine] = np.inf
    return own, np.asarray(distances.min(axis=1))


def _silhouette(apart: Array, to_itself: Array, mine: Speaker, sizes: NDArray[np.int64]) -> Array:
    """Return silhouettes from each row's sum of distances to every speaker's rows."""
    places, of_mine = np.arange(len(mine)), sizes[mine]
    within = (apart[places, mine] - to_itself) / np.maximum(of_mine - 1, 1)
    means = apart / sizes
    _, beyond = _own_and_nearest(means, mine)
    larger = np.maximum(within, beyond)
    values = np.divide(beyond - within, larger, out=np.zeros(len(mine)), where=larger > ROUNDING)
    # As in scikit-learn: the only row of a speaker has 0.
    return np.where(of_mine > 1, values, 0.0)
