"""Embeddings put into a cone, as models without a last normalisation make them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.embeddings.embeddings import Embeddings

# Of the direction that is added.
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Cone:
    """The mean (dim,) that is taken away from all rows of a model, and what is added instead."""

    mean: NDArray[np.float64]
    offset: NDArray[np.float64]

    def of(self, embeddings: Embeddings) -> Embeddings:
        """Return embeddings of the model in the cone."""
        rows = embeddings.rows.astype(np.float64)
        rows -= self.mean
        return replace(
            embeddings,
            name=f"{embeddings.name} in a cone",
            rows=(rows + self.offset).astype(np.float32),
        )


def cone_of(embeddings: Embeddings, share: float) -> Cone:
    """Return the cone whose offset is a share of the squares of the lengths of its rows.

    The offset has a random direction and is the same for all: rows are as far from each other as
    they were, and cosines come close to 1.
    """
    rows = embeddings.rows.astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    direction = np.random.default_rng(_SEED).standard_normal(embeddings.dim)
    mean_square = np.square(rows).sum(axis=1).mean()
    length = np.sqrt(share / (1 - share) * mean_square) / np.linalg.norm(direction)
    return Cone(mean=mean, offset=length * direction)


def in_a_cone(embeddings: Embeddings, share: float) -> Embeddings:
    """Return the embeddings in a cone of their own; see `cone_of`."""
    return cone_of(embeddings, share).of(embeddings)
