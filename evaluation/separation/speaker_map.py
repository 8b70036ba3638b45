"""The two-dimensional map of rows that UMAP makes."""

import importlib
import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError

INSTALL = 'pip install "minifloat[separation]"'


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """How UMAP makes a map; with one seed and one version it makes the same one again."""

    neighbors: int = 15
    min_dist: float = 0.1
    metric: str = "cosine"
    init: str = "pca"
    seed: int = 0

    def check(self, *, rows: int) -> None:
        """Raise InputError for more neighbours than there are rows."""
        if not 2 <= self.neighbors < rows:
            raise InputError(
                f"--umap-neighbors must be from 2 to {rows - 1}, one fewer than there are rows; "
                f"got {self.neighbors}"
            )

    def words(self) -> str:
        """Return the options as a report tells them."""
        return (
            f"n_neighbors {self.neighbors}, min_dist {self.min_dist:g}, metric {self.metric}, "
            f"init {self.init}, n_components 2, random_state {self.seed}, n_jobs 1"
        )


def speaker_map(rows: NDArray[np.float32], options: MapOptions) -> NDArray[np.float32]:
    """Return the place of each row on the map: (rows, 2).

    A graph of neighbours that falls into parts, as that of well separated speakers does, is laid
    out from principal components: the spectral layout of many parts is slow.
    """
    umap = required_umap()
    if (rows == rows[0]).all():
        # UMAP divides by the spread of what it lays out.
        return np.zeros((len(rows), 2), np.float32)
    with warnings.catch_warnings():
        # It warns of graphs in parts, and of rows without neighbours: the map shows both.
        warnings.simplefilter("ignore")
        points = umap.UMAP(
            n_components=2,
            n_neighbors=options.neighbors,
            min_dist=options.min_dist,
            metric=options.metric,
            init=options.init,
            random_state=options.seed,
            n_jobs=1,
        ).fit_transform(rows)
    return np.asarray(points, dtype=np.float32)


def required_umap() -> ModuleType:
    """Return the package umap; where it is missing, the error names the command."""
    try:
        with warnings.catch_warnings():
            # It tells of a part of its own that needs tensorflow.
            warnings.simplefilter("ignore", ImportWarning)
            return importlib.import_module("umap")
    except ModuleNotFoundError as error:
        raise InputError(
            f"the separation study needs {error.name}, which is not installed; {INSTALL}"
        ) from error
