"""Embeddings put into a cone, as models without a last normalisation make them."""

from dataclasses import replace

import numpy as np

from evaluation.embeddings.embeddings import Embeddings, at_unit_length

# Of the direction that is added.
_SEED = 0


def in_a_cone(embeddings: Embeddings, share: float) -> Embeddings:
    """Return the embeddings with an offset that makes up a share of the squares of their lengths.

    From rows at length 1 their mean is taken away, and a random direction is added to all alike:
    what tells rows apart stays as it was, and cosines come close to 1.
    """
    rows = at_unit_length(embeddings.rows)
    rows -= rows.mean(axis=0)
    direction = np.random.default_rng(_SEED).standard_normal(embeddings.dim)
    mean_square = np.square(rows).sum(axis=1).mean()
    length = np.sqrt(share / (1 - share) * mean_square) / np.linalg.norm(direction)
    return replace(
        embeddings,
        name=f"{embeddings.name} in a cone",
        rows=(rows + length * direction).astype(np.float32),
    )
