"""Which share of the nearest rows each format finds, and other packages in as many bits.

`python -m benchmarks.recall` prints it of the embeddings of two models and of rows that are made.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

import minifloat as mf
from benchmarks.data import Neighbours, clustered, exact_search, normal_rows, queries_near
from benchmarks.harness.machine import versions
from benchmarks.harness.options import add_out, count, opened, require
from benchmarks.harness.rival import package, rivals_of
from benchmarks.rivals import RIVALS
from benchmarks.search import SearchJob
from evaluation.command.help import HelpFormatter
from evaluation.command.model_files import ModelFile
from evaluation.embeddings.cone import in_a_cone
from evaluation.embeddings.embeddings import load_embeddings

PROGRAM = "python -m benchmarks.recall"
SAMPLES = Path(__file__).parents[1] / "evaluation" / "samples"
K, DIM, QUERIES = 10, 512, 500
CLUSTER = 200
# The share of the squares of lengths that the offset of a cone holds.
CONE = 0.98
# Rows that a frame is fitted on.
SAMPLE = 1000
# The share of a row's squared length that the mean of all rows holds.
OFFSET = 0.9

RECORDINGS = tuple(
    ModelFile(name=name, path=SAMPLES / f"so762-{file}.npz")
    for name, file in (("CAM++", "campplus"), ("GE2E", "ge2e"))
)

_PACKAGES = ("faiss", "turbovec", "usearch")
_RIVALS = {
    rival.name: rival for rival in rivals_of(RIVALS, "search") if package(rival.name) in _PACKAGES
}


@dataclass(frozen=True)
class Data:
    """Rows, queries and their nearest rows, by a name."""

    name: str
    near: Neighbours

    def job(self, format: mf.Format) -> SearchJob:
        """Return the search of packed rows by float queries."""
        return SearchJob(self.near, mf.quantize(self.near.rows, format), self.near.queries)

    @property
    def error(self) -> float:
        """The standard error of the recall of E2M1 in a frame, over queries."""
        found = _found(_framed(self.job(mf.E2M1)), K)
        shares = (found[:, :, None] == self.near.exact[:, None]).any(2).double().mean(1)
        return float(shares.std() / len(shares) ** 0.5)


@dataclass(frozen=True)
class Way:
    """A way to search, which tells its recall.

    `keeps` are the formats in which a row is kept, None for float32: the first is searched, a
    second rescores. `norm` is how many bytes a row has beside its codes.
    """

    name: str
    keeps: tuple[mf.Format | None, ...]
    find: Callable[[SearchJob], float]
    norm: int = 4

    def bytes(self, dim: int) -> int:
        """Return the bytes that a row takes."""
        return sum(f.row_bytes(dim) + self.norm if f else 4 * dim for f in self.keeps)


def data(rows: int, files: Sequence[ModelFile] = RECORDINGS) -> Iterator[Data]:
    """Yield recordings, also in a cone, and made rows: random, in clusters, and with a mean.

    Of recordings each is a query too.
    """
    for file in files:
        embeddings = load_embeddings(file.path, name=file.name)
        for some in (embeddings, in_a_cone(embeddings, CONE)):
            x = normalize(torch.from_numpy(some.rows))
            yield Data(some.name, replace(Neighbours.of(x, x, K), least=0))
    # As in `python -m benchmarks`: noisy rows are the queries.
    rows_by, queries_by = (torch.Generator().manual_seed(seed) for seed in range(2))
    x = normal_rows(rows, DIM, rows_by)
    yield Data("random", Neighbours.of(x, queries_near(x, QUERIES, queries_by), K))
    for name, offset in (("clusters", 0.0), ("clusters, offset", OFFSET)):
        x, queries = clustered(rows, QUERIES, DIM, CLUSTER, offset=offset)
        yield Data(name, replace(Neighbours.of(x, queries, K), least=0))


def _ours(job: SearchJob) -> float:
    return job.near.recall(_found(job, K))


def _found(job: SearchJob, first: int) -> Tensor:
    rows: Tensor = mf.search(job.near.queries, job.database, first)[1]
    return rows


def _rescored(job: SearchJob, *, first: int, by: mf.Format | None, centred: bool = False) -> float:
    """Return the recall of the best of the first rows that are found, by their rows in `by`."""
    near, found = job.near, _found(_centred(job) if centred else job, first)
    if by is None:
        scores = torch.einsum("qd,qfd->qf", near.queries, near.rows[found])
    else:
        queries = torch.arange(len(found)).repeat_interleave(first)
        pairs = torch.stack([queries, found.flatten()], dim=1)
        scores = mf.scores(near.queries, mf.quantize(near.rows, by), pairs=pairs).view(found.shape)
    return near.recall(found.gather(1, scores.topk(K).indices))


def _framed(job: SearchJob, *, feeds_back: bool = False) -> SearchJob:
    """Return the search of the rows in a frame, which is fitted on some of them."""
    near = job.near
    order = torch.randperm(len(near.rows), generator=torch.Generator().manual_seed(0))
    sample = near.rows[order[:SAMPLE]]
    frame = mf.Frame.fit(sample, feedback="force" if feeds_back else False)
    how: Literal["feedback", "nearest"] = "feedback" if feeds_back else "nearest"
    packed = mf.quantize(near.rows, job.format, frame=frame, rounding=how)
    return SearchJob(near, packed, near.queries)


def _of_framed(job: SearchJob, *, feeds_back: bool) -> float:
    return job.near.recall(_found(_framed(job, feeds_back=feeds_back), K))


def _centred(job: SearchJob) -> SearchJob:
    """Return the search of rows less their mean."""
    mean = job.near.rows.mean(0)
    rows, queries = (normalize(x - mean) for x in (job.near.rows, job.near.queries))
    near = replace(job.near, rows=rows, queries=queries)
    return SearchJob(near, mf.quantize(rows, job.format), queries)


def _of_centred(job: SearchJob) -> float:
    return job.near.recall(_found(_centred(job), K))


def _float32_of_centred(job: SearchJob) -> float:
    centred = _centred(job).near
    return job.near.recall(exact_search(centred.rows, centred.queries, K)[1])


def _rival(name: str, job: SearchJob) -> float:
    rival = _RIVALS[name]
    run = rival.start(job)
    share = run and rival.check(job, run)
    if share is None:
        raise ValueError(f"{name} does not serve {job.format}")
    return share


def _format(format: mf.Format) -> Way:
    return Way(format.name.upper(), (format,), _ours)


def _package(name: str, format: mf.Format, rival: str, norm: int = 0) -> Way:
    return Way(name, (format,), partial(_rival, rival), norm)


def _in_a_frame(format: mf.Format, *, feeds_back: bool = False) -> Way:
    name = f"{format.name.upper()}, framed{', feedback' if feeds_back else ''}"
    # A norm and a coordinate.
    return Way(name, (format,), partial(_of_framed, feeds_back=feeds_back), norm=8)


def _best_of(first: int, by: mf.Format | None, *, centred: bool = False) -> Way:
    searched = "E2M1, centred" if centred else "E2M1"
    name = f"{searched}, {first} rescored in {by.name.upper() if by else 'float32'}"
    return Way(name, (mf.E2M1, by), partial(_rescored, first=first, by=by, centred=centred))


WAYS = (
    _format(mf.E3M4),
    _format(mf.E4M3),
    _format(mf.E5M2),
    _in_a_frame(mf.E3M4),
    _package("FAISS SQ8", mf.E3M4, "faiss"),
    _package("USearch int8", mf.E3M4, "usearch"),
    _format(mf.E2M3),
    _format(mf.E3M2),
    _in_a_frame(mf.E2M3),
    _in_a_frame(mf.E2M3, feeds_back=True),
    _package("FAISS SQ6", mf.E2M3, "faiss"),
    _format(mf.E2M1),
    _in_a_frame(mf.E2M1),
    _in_a_frame(mf.E2M1, feeds_back=True),
    _package("FAISS SQ4", mf.E2M1, "faiss"),
    _package("FAISS FastScan", mf.E2M1, "faiss FastScan"),
    _package("FAISS TurboQuant", mf.E2M1, "faiss TurboQuant"),
    _package("FAISS EDEN", mf.E2M1, "faiss EDEN", norm=4),
    _package("FAISS RaBitQ", mf.E2M1, "faiss RaBitQ", norm=20),
    _package("turbovec", mf.E2M1, "turbovec", norm=4),
    _package("turbovec, calibrated", mf.E2M1, "turbovec calibrated", norm=4),
    _best_of(50, mf.E3M4),
    _best_of(100, mf.E3M4),
    _best_of(100, None),
    Way("float32, centred", (None,), _float32_of_centred),
    Way("E2M1, centred", (mf.E2M1,), _of_centred),
    _best_of(100, mf.E3M4, centred=True),
    _best_of(100, None, centred=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and append the records to a file if one is named."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument(
        "--rows", type=count, default=200_000, metavar="N", help="how many rows are made"
    )
    parser.add_argument(
        "--embeddings",
        type=ModelFile.parse,
        action="append",
        metavar="FILE",
        help=f"recordings: files as the studies take them; without one the samples of "
        f"{' and '.join(file.name for file in RECORDINGS)}",
    )
    add_out(parser, "set")
    options = parser.parse_args(given)
    require(parser, _PACKAGES)
    command = shlex.join([*PROGRAM.split(), *given])
    records = []
    with opened(parser, options.out) as out:
        for some in data(options.rows, options.embeddings or RECORDINGS):
            records.append(_record(some, command))
            if out:
                print(json.dumps(records[-1]), file=out, flush=True)
    print(table(records))


def _record(some: Data, command: str) -> dict[str, Any]:
    # Imported late: it is one of the packages whose absence is told above.
    from tqdm import tqdm

    rows = some.near.rows
    # Where nobody watches, a bar would fill a log: tqdm's None turns it off there.
    ways = tqdm(WAYS, desc=some.name, unit="way", leave=False, disable=None)
    return {
        "data": some.name,
        "rows": len(rows),
        "dim": rows.shape[1],
        "queries": len(some.near.queries),
        "k": K,
        "mean": float(rows.mean(0).square().sum()),
        "standard_error": some.error,
        "recall": {way.name: way.find(some.job(way.keeps[0] or mf.E2M1)) for way in ways},
        "command": command,
        "versions": versions(("minifloat", "numpy", "torch", *_PACKAGES)),
    }


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown: a line for each way, a column for each set of rows."""
    means = [f"{record['mean']:.2f}" for record in records]
    lines = [
        ["", f"bytes, dim {DIM}", *(record["data"] for record in records)],
        ["---"] * (2 + len(records)),
        ["share of the mean", "", *means],
        ["standard error", "", *(f"{record['standard_error']:.4f}" for record in records)],
    ]
    for way in WAYS:
        shares = [f"{record['recall'][way.name]:.3f}" for record in records]
        lines.append([way.name, f"{way.bytes(DIM):,}", *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
