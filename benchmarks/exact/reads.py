"""How many originals are read until the best rows are proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

import minifloat as mf
from benchmarks.data import exact_search
from benchmarks.recall.sets import CONE
from evaluation.command.model_files import ModelFile
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import load_embeddings
from minifloat.vectors.quantizing import Rounding

K, QUERIES = 10, 150
RANDOM_DIM = 256
# Of rows read for a query: the median, most of them, and the most.
SHARES = (50, 95, 100)


def sets(files: Sequence[ModelFile], random_rows: int) -> Iterator[tuple[str, Tensor]]:
    """Yield recordings, also in a cone, and random rows, by their names."""
    for file in files:
        embeddings = load_embeddings(file.path, name=file.name)
        for some in (embeddings, in_a_cone(embeddings, CONE)):
            yield some.name, torch.from_numpy(some.rows)
    generator = torch.Generator().manual_seed(3)
    yield "random", torch.randn(random_rows, RANDOM_DIM, generator=generator)


def rows_read(x: Tensor, format: mf.Format, *, rounding: Rounding = "nearest") -> list[int]:
    """Return how many originals of rows (rows, dim), in a frame, are read; AssertionError if wrong.

    Queries are some of the rows.
    """
    some = torch.from_numpy(np.random.default_rng(0).permutation(len(x))[:QUERIES])
    frame = mf.Frame.fit(x, feedback="force" if rounding == "feedback" else False)
    rows = mf.quantize(x, format, frame=frame, rounding=rounding, errors=True)
    scores, _, read = mf.search(x[some], rows, K, originals=x, return_stats=True)
    unit = normalize(x.double())
    best, _ = exact_search(unit, unit[some], K)
    # The cosines of the best, whichever of equal ones they are.
    torch.testing.assert_close(scores, best.float(), rtol=0, atol=1e-7)
    return [int(share) for share in np.percentile(read.rows.numpy(), SHARES)]
