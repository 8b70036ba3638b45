"""How centroids, ties, densities and maps are defined, by default and as published."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.separation.distances import (
    Distances,
    Rows,
    Speaker,
    cosine_distances,
    euclidean_distances,
)
from evaluation.separation.overlap import Density
from evaluation.separation.speaker_map import MapOptions


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """How distances are taken, densities estimated and maps made.

    `unit_centroids` and `argmax` are those of `cosine_distances`.
    """

    unit_centroids: bool = True
    argmax: bool = False
    density: Density = field(default_factory=Density)
    map: MapOptions = field(default_factory=MapOptions)

    def cosine(self, rows: Rows, speaker: Speaker) -> Distances:
        """Return the cosine distances of rows (rows, dim)."""
        return cosine_distances(
            rows, speaker, unit_centroids=self.unit_centroids, argmax=self.argmax
        )

    def on_map(self, points: NDArray[np.float32], speaker: Speaker) -> Distances:
        """Return the Euclidean distances of the points (rows, 2) of a map."""
        return euclidean_distances(points, speaker, argmax=self.argmax)

    def words_of_centroids(self) -> str:
        """Return what a centroid is, as a report tells it."""
        of = (
            "With cosine distances, of vectors brought to length 1, so that a vector's length "
            "plays no part."
            if self.unit_centroids
            else "Vectors are taken as they are, so that longer ones count more."
        )
        return (
            f"The average of a speaker's vectors. {of} The vector that is compared is part of its "
            "own speaker's centroid."
        )

    def words_of_ties(self) -> str:
        """Return when a row counts for CCR, as a report tells it."""
        return (
            "The nearest of all centroids, of equally near ones the first, is not the own one."
            if self.argmax
            else "Another centroid is nearer by more than rounding."
        )


# As the published study's notebooks compute; its UMAP has two components and random_state 42, all
# else is the library's default.
AS_PUBLISHED = Definitions(
    unit_centroids=False,
    argmax=True,
    density=Density(points=500, reach=0, left_narrow=True),
    map=MapOptions(neighbors=15, min_dist=0.1, metric="euclidean", init="spectral", seed=42),
)
