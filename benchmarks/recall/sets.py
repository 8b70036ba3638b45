"""Rows whose nearest are looked for: recordings, also in a cone, and made ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

import minifloat as mf
from benchmarks.data import Neighbours, clustered, normal_rows, queries_near
from benchmarks.search import SearchJob
from evaluation.command.model_files import ModelFile
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import load_embeddings

SAMPLES = Path(__file__).parents[2] / "evaluation" / "samples"
RECORDINGS = tuple(
    ModelFile(name=name, path=SAMPLES / f"so762-{file}.npz")
    for name, file in (("CAM++", "campplus"), ("GE2E", "ge2e"))
)
K, DIM, QUERIES = 10, 512, 500
CLUSTER = 200
# The share of the squares of lengths that the offset of a cone holds.
CONE = 0.98
# The share of a row's squared length that the mean of all rows holds.
OFFSET = 0.9


@dataclass(frozen=True)
class Data:
    """Rows, queries and their nearest rows, by a name."""

    name: str
    near: Neighbours

    def job(self, format: mf.Format) -> SearchJob:
        """Return the search of packed rows by float queries."""
        return SearchJob(self.near, mf.quantize(self.near.rows, format), self.near.queries)


def data(rows: int, files: Sequence[ModelFile] = RECORDINGS) -> Iterator[Data]:
    """Yield recordings, also in a cone, and made rows: random, in clusters, and with a mean.

    Of recordings each is a query too.
    """
    for file in files:
        embeddings = load_embeddings(file.path, name=file.name)
        for some in (embeddings, in_a_cone(embeddings, CONE)):
            x = normalize(torch.from_numpy(some.rows))
            yield _data(some.name, x, x)
    # As in `python -m benchmarks`: noisy rows are the queries.
    rows_by, queries_by = (torch.Generator().manual_seed(seed) for seed in range(2))
    x = normal_rows(rows, DIM, rows_by)
    yield _data("random", x, queries_near(x, QUERIES, queries_by))
    for name, offset in (("clusters", 0.0), ("clusters, offset", OFFSET)):
        x, queries = clustered(rows, QUERIES, DIM, CLUSTER, offset=offset)
        yield _data(name, x, queries)


def _data(name: str, rows: Tensor, queries: Tensor) -> Data:
    # Where an offset leaves 4 bits little to tell, a low recall is no error.
    return Data(name, replace(Neighbours.of(rows, queries, K), least=0))
