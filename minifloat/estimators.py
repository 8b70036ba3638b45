"""Estimators of scikit-learn whose rows are packed: nearest neighbours by cosine distance.

They are called as `sklearn.neighbors.NearestNeighbors(metric="cosine")` and `KNeighborsTransformer`
are, and pass scikit-learn's own checks. Needs `minifloat[sklearn]`.
"""

from __future__ import annotations

from operator import index
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minifloat.formats import FormatLike
from minifloat.frames import Frame
from minifloat.scoring import range_search, search
from minifloat.vectors import PackedVectors, quantize
from minifloat.vectors.required import required

required("sklearn", needs="estimators need scikit-learn", extra="sklearn")

from scipy.sparse import csr_matrix
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["PackedNeighbors", "PackedNeighborsTransformer"]

Mode = Literal["connectivity", "distance"]
Distances = NDArray[np.float64]
Rows = NDArray[np.int64]


class PackedNeighbors(BaseEstimator):
    """Finds the nearest of packed rows by cosine distance, 1 - score, which is 0 to 2.

    n_neighbors: how many are found, where a call does not say. radius: up to which distance,
    likewise. format: of the codes. frame: a `Frame`, "fit" for one of the rows that are fitted, or
    None.

    Fitted: `vectors_`, the packed rows; `n_samples_fit_`, how many; `n_features_in_`, their dim.
    Queries are float rows, or without X the fitted rows themselves, each without itself.
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        radius: float = 0.5,
        format: FormatLike = "e3m4",
        frame: Frame | Literal["fit"] | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.format = format
        self.frame = frame

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Pack rows, (rows, dim); return the estimator. y is not looked at."""
        x = validate_data(self, X, dtype=[np.float64, np.float32])
        if isinstance(self.frame, str) and self.frame != "fit":
            raise ValueError(f"frame must be a Frame, 'fit' or None; got {self.frame!r}")
        frame = Frame.fit(x) if isinstance(self.frame, str) else self.frame
        self.vectors_ = quantize(x, self.format, frame=frame)
        self.n_samples_fit_ = len(self.vectors_)
        return self

    def kneighbors(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> tuple[Distances, Rows] | Rows:
        """Return distances and rows of the nearest, both (queries, n_neighbors), nearest first.

        Of equal distances the lower row comes first. Without return_distance, only rows. Raises
        ValueError where there are fewer rows to be found.
        """
        queries = self._queries(X)
        k = index(self.n_neighbors if n_neighbors is None else n_neighbors)
        most = self.n_samples_fit_ - (X is None)
        if not most:
            raise ValueError("there is no other row to find: n_samples = 1")
        if not 1 <= k <= most:
            raise ValueError(f"n_neighbors must be 1 to {most}, as n_samples are found; got {k}")
        scores, rows = search(queries, self.vectors_, k + (X is None))
        if X is None:
            is_other = rows != np.arange(len(rows))[:, None]
            # Of a row with many copies the others may fill the answer.
            is_other[is_other.all(1), -1] = False
            scores, rows = (part[is_other].reshape(len(rows), k) for part in (scores, rows))
        return (_distances(scores), rows) if return_distance else rows

    def radius_neighbors(
        self,
        X: ArrayLike | None = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]] | NDArray[np.object_]:
        """Return distances and rows of all within a radius: arrays (queries,) of arrays.

        They ascend by row, or with sort_results by distance. Without return_distance, only rows.
        """
        offsets, rows, distances = self._within(X, radius, sort_results)
        found = _parts(rows, offsets)
        return (_parts(distances, offsets), found) if return_distance else found

    def kneighbors_graph(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        mode: Mode = "connectivity",
    ) -> csr_matrix:
        """Return the nearest as a sparse matrix, (queries, fitted rows), of ones or distances."""
        _check(mode)
        distances, rows = self.kneighbors(X, n_neighbors)
        offsets = np.arange(0, rows.size + 1, rows.shape[1])
        return self._graph(offsets, rows.ravel(), distances.ravel(), mode)

    def radius_neighbors_graph(
        self,
        X: ArrayLike | None = None,
        radius: float | None = None,
        mode: Mode = "connectivity",
        sort_results: bool = False,
    ) -> csr_matrix:
        """Return all within a radius as a sparse matrix, (queries, fitted rows)."""
        _check(mode)
        return self._graph(*self._within(X, radius, sort_results), mode)

    def _queries(self, X: ArrayLike | None) -> PackedVectors | NDArray[Any]:
        check_is_fitted(self)
        if X is None:
            return self.vectors_
        x: NDArray[Any] = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return x

    def _within(
        self,
        X: ArrayLike | None,
        radius: float | None,
        sort_results: bool,
    ) -> tuple[Rows, Rows, Distances]:
        queries = self._queries(X)
        radius = float(self.radius if radius is None else radius)
        if not radius >= 0:
            raise ValueError(f"radius must be 0 or more; got {radius}")
        order: Literal["row", "score"] = "score" if sort_results else "row"
        found = range_search(queries, self.vectors_, max(1 - radius, -1.0), order=order)
        offsets, rows, scores = (np.asarray(part) for part in found)
        if X is None:
            query = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            is_other = rows != query
            offsets = np.concatenate([[0], np.cumsum(is_other)])[offsets]
            rows, scores = rows[is_other], scores[is_other]
        return offsets, rows, _distances(scores)

    def _graph(self, offsets: Rows, rows: Rows, distances: Distances, mode: Mode) -> csr_matrix:
        data = distances if mode == "distance" else np.ones(len(rows))
        return csr_matrix((data, rows, offsets), shape=(len(offsets) - 1, self.n_samples_fit_))


class PackedNeighborsTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, PackedNeighbors
):
    """Makes a sparse graph of nearest neighbours, for estimators that take metric="precomputed".

    mode: "distance", where each row has one neighbour more, which may be itself, as those
    estimators expect; or "connectivity". All else is that of `PackedNeighbors`.
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        mode: Mode = "distance",
        format: FormatLike = "e3m4",
        frame: Frame | Literal["fit"] | None = None,
    ) -> None:
        super().__init__(n_neighbors, format=format, frame=frame)
        self.mode = mode

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Pack rows, (rows, dim); return the estimator. y is not looked at."""
        super().fit(X)
        self._n_features_out = self.n_samples_fit_
        return self

    def transform(self, X: ArrayLike) -> csr_matrix:
        """Return the graph of rows, (rows, dim): a sparse matrix, (rows, fitted rows)."""
        _check(self.mode)
        return self.kneighbors_graph(X, self.n_neighbors + (self.mode == "distance"), self.mode)


def _check(mode: str) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(f"mode must be 'connectivity' or 'distance'; got {mode!r}")


def _distances(scores: NDArray[np.float32]) -> Distances:
    return 1 - scores.astype(np.float64)


def _parts(of_all: NDArray[Any], offsets: Rows) -> NDArray[np.object_]:
    parts = np.empty(len(offsets) - 1, object)
    for i, part in enumerate(np.split(of_all, offsets[1:-1])):
        parts[i] = part
    return parts
