"""Searches of turbovec in 4 bits, on torch's number of threads."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import torch
from torch import Tensor, get_num_threads

from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Run
from benchmarks.search import SearchJob, finds

# As many rows as its documentation says are enough to calibrate by.
_SAMPLE = 1024


def _search(job: SearchJob, *, sample: int = 0) -> Run | None:
    """Return the search of 4-bit rows by float32 queries, calibrated by a sample of the rows."""
    near = job.near
    dim = near.rows.shape[1]
    if job.format.bits != 4 or dim % 8:
        return None
    # Its pool of threads is made when it is first used, of as many as this says.
    os.environ["RAYON_NUM_THREADS"] = str(get_num_threads())
    import turbovec

    index = turbovec.TurboQuantIndex(dim, 4)
    if sample:
        order = torch.randperm(len(near.rows), generator=torch.Generator().manual_seed(0))
        index.calibrate(near.rows[order[:sample]].numpy())
    index.add(near.rows.numpy())
    index.prepare()
    return partial(index.search, near.queries.numpy(), near.k)


def _rows(job: SearchJob, answer: Any) -> Tensor:
    return torch.from_numpy(answer[1])


RIVALS = (
    Rival("turbovec", ("search",), _search, finds(_rows)),
    Rival("turbovec calibrated", ("search",), partial(_search, sample=_SAMPLE), finds(_rows)),
)
