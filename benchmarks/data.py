"""What searches are measured on: rows, queries near them, and which rows are nearest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.harness.rival import RivalError

# Of rows whose values suit all packages.
LEAST_RECALL = 0.2
# A query's distance from the row it comes from, whose length is 1.
_NOISE = 0.5
# Scores that may be in memory at once: 256 MiB of float32.
_BLOCK = 2**26
# Products that may be in memory at once: 128 MiB of float64.
_PRODUCTS = 2**24


@dataclass(frozen=True)
class Neighbours:
    """Rows and queries of length 1, and the rows nearest to each query by float32 cosine.

    Where `sample` has numbers of queries, those alone have nearest rows. An answer with a recall
    below `least` is wrong, not inexact.
    """

    rows: Tensor
    queries: Tensor
    exact: Tensor
    sample: Tensor | None = None
    least: float = LEAST_RECALL

    @classmethod
    def of(cls, rows: Tensor, queries: Tensor, k: int, sample: Tensor | None = None) -> Neighbours:
        """Return them with the k nearest rows of all queries, or of those in the sample."""
        some = queries if sample is None else queries[sample]
        return cls(rows, queries, exact_search(rows, some, k)[1], sample)

    @property
    def k(self) -> int:
        """How many rows a query is to find."""
        return self.exact.shape[1]

    def recall(self, found: Tensor) -> float:
        """Return the recall of the rows that each query has found, (queries, k)."""
        if self.sample is None:
            return recall(self.rows, self.queries, found, self.exact)
        return recall(self.rows, self.queries[self.sample], found[self.sample], self.exact)

    def checked_recall(self, found: Tensor) -> float:
        """Return the recall; RivalError where it is too low for a search, or rows are too few."""
        shape = (len(self.queries), self.k)
        if found.shape != shape:
            raise RivalError(f"rows of shape {tuple(found.shape)}, not {shape}")
        share = self.recall(found)
        if share < self.least:
            message = f"recall {share:.2f} of the {self.k} nearest rows, below {self.least}"
            raise RivalError(message)
        return share


def normal_rows(rows: int, dim: int, generator: torch.Generator) -> Tensor:
    """Return random rows of length 1, where the generator is."""
    return unit_rows(torch.randn((rows, dim), generator=generator, device=generator.device))


def clustered(
    rows: int, queries: int, dim: int, cluster: int, *, offset: float
) -> tuple[Tensor, Tensor]:
    """Return random rows and queries of length 1 around centres, each of which has so many rows.

    They are as far from it as all centres are from their mean, and the mean of all rows holds the
    share `offset` of a row's squared length.
    """
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(0))
    centres = draw((-(-rows // cluster), dim))
    x = draw((rows + queries, dim)).add_(centres[torch.arange(rows + queries) % len(centres)])
    x += draw(dim) * (2 * offset / (1 - offset)) ** 0.5
    x = normalize(x)
    return x[:rows], x[rows:]


def unit_rows(rows: Tensor) -> Tensor:
    """Return the rows themselves, made to have length 1."""
    return rows.div_(rows.norm(dim=1, keepdim=True))


def noisy(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Return rows with noise, of length 1."""
    noise = torch.randn(rows.shape, generator=generator, device=rows.device)
    return unit_rows(rows + noise * (_NOISE / rows.shape[1] ** 0.5))


def queries_near(rows: Tensor, queries: int, generator: torch.Generator) -> Tensor:
    """Return noisy rows from all over the database."""
    return noisy(rows[spread(queries, len(rows), rows.device)], generator)


def spread(count: int, over: int, device: torch.device) -> Tensor:
    """Return so many numbers below `over`, evenly apart."""
    return torch.arange(count, device=device) * over // count


def exact_search(rows: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest products of each query, in its dtype, and their rows."""
    blocks = queries.split(max(1, _BLOCK // len(rows)))
    best = [(block @ rows.T).topk(k) for block in blocks]
    return torch.cat([b.values for b in best]), torch.cat([b.indices for b in best])


def best_of(tiles: Iterable[Tensor], k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores of each query and their rows: both (queries, k).

    Tiles of scores (queries, rows) come in the order of the rows: no GPU holds all of them.
    """
    best: tuple[Tensor, Tensor] | None = None
    first = 0
    for tile in tiles:
        values, rows = tile.topk(min(k, tile.shape[1]), 1)
        rows += first
        first += tile.shape[1]
        # The next is not made beside it.
        del tile
        if best is not None:
            values, rows = torch.cat([best[0], values], 1), torch.cat([best[1], rows], 1)
            values, order = values.topk(min(k, values.shape[1]), 1)
            rows = rows.gather(1, order)
        best = values, rows
    if best is None:
        raise ValueError("the best of no scores")
    return best


def recall(rows: Tensor, queries: Tensor, found: Tensor, exact: Tensor) -> float:
    """Return the share of k rows that are as near to each query as its k nearest, each once.

    A row that ties with the last of the nearest, by float32 cosine, is one of them.
    """
    ordered = found.sort(1).values
    is_one = (ordered >= 0) & (ordered < len(rows))
    is_one[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    least = _products(rows, queries, exact).amin(1, keepdim=True)
    products = _products(rows, queries, ordered.clamp(0, len(rows) - 1))
    return int(((products >= least) & is_one).sum()) / exact.numel()


def _products(rows: Tensor, queries: Tensor, chosen: Tensor) -> Tensor:
    """Return the products of each query with the rows that are chosen for it."""
    step = max(1, _PRODUCTS // (chosen.shape[1] * rows.shape[1]))
    # Row by row: a matrix product may round equal rows differently.
    return torch.cat(
        [
            (rows[some].double() * block.double().unsqueeze(1)).sum(2).float()
            for block, some in zip(queries.split(step), chosen.split(step), strict=True)
        ]
    )
