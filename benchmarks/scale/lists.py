"""Where searching all rows stops paying: lists of rows around centres, of which few are searched.

The rows of a list lie one after the other, packed; a search goes over those of the lists whose
centres are nearest to the query, by `ranges`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from benchmarks.data import clustered
from benchmarks.scale.tables import markdown, seconds, threads

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
MANY = 64
# Recordings of a speaker, and the share that a common offset has of a row's squared length.
_RECORDINGS, _OFFSET = 20, 0.5
# Rows of each list that centres are found by.
_SAMPLE = 64
# Of k-means; later ones change little.
_STEPS = 20
_BLOCK = 1 << 16


class Lists(NamedTuple):
    """Packed rows, list after list, where each list begins and the last ends, and the centres."""

    rows: mf.PackedVectors
    bounds: Tensor
    centres: Tensor

    @staticmethod
    def of(x: Tensor, format: mf.Format, count: int) -> Lists:
        """Return rows, of length 1, in so many lists."""
        from sklearn.cluster import KMeans

        sample = x[torch.randperm(len(x), generator=_chance())[: _SAMPLE * count]].numpy()
        means = KMeans(count, init="random", max_iter=_STEPS, n_init=1, random_state=0)
        centres = torch.from_numpy(means.fit(sample).cluster_centers_.astype(np.float32))
        lists = torch.cat([nearest(block, centres, 1)[:, 0] for block in x.split(_BLOCK)])
        sizes = lists.bincount(minlength=count)
        bounds = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
        return Lists(mf.quantize(x[lists.argsort(stable=True)], format), bounds, centres)

    def search(self, query: Tensor, k: int, probed: int) -> Tensor:
        """Return the rows nearest to one query (1, dim), of the lists that are nearest."""
        lists = nearest(query, self.centres, probed)[0].sort().values
        ranges = torch.stack([self.bounds[lists], self.bounds[lists + 1]], 1)
        some = int((ranges[:, 1] - ranges[:, 0]).sum())
        found = mf.search(query, self.rows, min(k, some), ranges=ranges)[1]
        return torch.nn.functional.pad(found, (0, k - found.shape[1]), value=-1)

    def scanned(self, queries: Tensor, probed: int) -> float:
        """Return the share of all rows that queries are compared with, on average."""
        sizes = self.bounds.diff()[nearest(queries, self.centres, probed)]
        return float(sizes.sum()) / len(queries) / len(self.rows)


def nearest(x: Tensor, centres: Tensor, count: int) -> Tensor:
    """Return which centres are nearest to each row."""
    squares = centres.square().sum(1)
    return (squares - 2 * (x @ centres.T)).topk(count, largest=False).indices


def data(
    rows: int, queries: int, dim: int, paths: list[Path]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield names, rows and queries: speakers that are made, then those of files.

    Of a file each so-manyeth row is a query, and no row of those that are searched.
    """
    made = clustered(rows, queries, dim, _RECORDINGS, offset=_OFFSET)
    yield "made", *made
    for path in paths:
        with np.load(path) as file:
            x = torch.nn.functional.normalize(torch.from_numpy(np.float32(file["embeddings"])))
        step = max(2, len(x) // queries)
        is_query = torch.zeros(len(x), dtype=torch.bool)
        is_query[::step] = True
        yield path.stem, x[~is_query], x[is_query]


def studied(
    rows: Tensor, queries: Tensor, format: mf.Format, rounds: int, k: int = 10
) -> dict[str, Any]:
    """Return recall, rows scanned and speed of each share of lists, beside a search of all rows."""
    count = round(len(rows) ** 0.5)
    begun = time.perf_counter()
    lists = Lists.of(rows, format, count)
    built = time.perf_counter() - begun
    exact = mf.search(queries, lists.rows, k)[1]
    many = queries[:MANY]
    ways: dict[str, Callable[[], object]] = {
        "all 1": lambda: mf.search(queries[:1], lists.rows, k),
        "all many": lambda: mf.search(many, lists.rows, k),
    }
    for share in SHARES:
        probed = max(1, round(count * share))
        ways[f"{share} 1"] = lambda probed=probed: lists.search(queries[:1], k, probed)  # type: ignore[misc]
        ways[f"{share} many"] = lambda probed=probed: [  # type: ignore[misc]
            lists.search(query[None], k, probed) for query in many
        ]
    times = _in_turn(ways, rounds)
    found: dict[str, Any] = {
        "rows": len(rows),
        "dim": rows.shape[1],
        "queries": len(queries),
        "lists": count,
        "built_s": built,
        "all_s": [times["all 1"], times["all many"]],
        "many": len(many),
        "shares": [],
    }
    for share in SHARES:
        probed = max(1, round(count * share))
        some = torch.cat([lists.search(query[None], k, probed) for query in queries])
        recall = (some[:, :, None] == exact[:, None, :]).any(2).float().mean()
        found["shares"].append(
            {
                "share": share,
                "recall": float(recall),
                "scanned": lists.scanned(queries, probed),
                "faster": [times[f"all {n}"] / times[f"{share} {n}"] for n in ("1", "many")],
            }
        )
    return found


def _in_turn(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each way; all are called in turn, and first untimed."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            if number:
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


def printed(found: dict[str, Any]) -> str:
    """Return a table in Markdown of each set of rows."""
    headings = ["lists probed", "recall@10", "rows scanned", "1 query", f"{MANY} queries"]
    parts = []
    for name, one in found["sets"].items():
        single, many = map(seconds, one["all_s"])
        parts.append(
            f"{name}: {found['cpu']}, {threads(found['threads'])}, {one['rows']:,} rows of "
            f"{one['dim']} in {found['format']}, {one['lists']:,} lists, made in "
            f"{seconds(one['built_s'])}; all rows take {single} for 1 query, {many} for "
            f"{one['many']}; times as fast:"
        )
        lines = [
            [
                f"{some['share']:.0%}",
                f"{some['recall']:.3f}",
                f"{some['scanned']:.1%}",
                *[f"{faster:.2f}" for faster in some["faster"]],
            ]
            for some in one["shares"]
        ]
        parts.append(markdown(headings, lines))
    return "\n\n".join(parts)


def _chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)
