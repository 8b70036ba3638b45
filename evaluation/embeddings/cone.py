"""Embeddings put into a cone, as models without a last normalisation make them."""

from dataclasses import replace

import numpy as np

from evaluation.embeddings.embeddings import Embeddings

# Of the direction that is added.
_SEED = 0


def in_a_cone(embeddings: Embeddings, share: float) -> Embeddings:
    """Return the embeddings with an offset that makes up a share of the squares of their lengths.

    The mean of all is taken away, and an offset in a random direction is added to all alike: rows
    are as far from each other as they were, and cosines come close to 1.
    """
    rows = embeddings.rows.astype(np.float64)
    rows -= rows.mean(axis=0)
    direction = np.random.default_rng(_SEED).standard_normal(embeddings.dim)
    mean_square = np.square(rows).sum(axis=1).mean()
    length = np.sqrt(share / (1 - share) * mean_square) / np.linalg.norm(direction)
    return replace(
        embeddings,
        name=f"{embeddings.name} in a cone",
        rows=(rows + length * direction).astype(np.float32),
    )
