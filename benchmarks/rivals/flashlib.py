"""The exact search of flashlib on a GPU, in float16."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.util import find_spec

from benchmarks.harness.rival import NotHereError, Rival
from benchmarks.harness.timing import Run
from benchmarks.search import DeviceSearchJob, finds, found_rows


def _search(job: DeviceSearchJob) -> Run:
    """Return its fused exact search, by distances, which rows of length 1 order as cosines."""
    if find_spec("flashlib") is None:
        raise NotHereError("flashlib is not installed; pip install flashlib")
    flash_knn = import_module("flashlib").flash_knn
    rows, queries = job.near.rows.half(), job.near.queries.half()
    run = partial(flash_knn, queries, rows, job.near.k, return_distances=False)
    return lambda: (None, run())


RIVALS = (Rival("flashlib float16", ("search",), _search, finds(found_rows), device="cuda"),)
