"""The exact search of usearch in int8, on torch's number of threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, get_num_threads

from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Run
from benchmarks.search import SearchJob, finds


def _search(job: SearchJob) -> Run:
    """Return the exact search of int8 rows by cosine, whatever the format."""
    from usearch.index import search

    database, queries = (_int8(x) for x in (job.near.rows, job.near.queries))
    run = partial(search, database, queries, job.near.k, exact=True)
    return partial(run, threads=get_num_threads())


def _int8(x: Tensor) -> Any:
    factors = 127 / x.abs().amax(1, keepdim=True)
    codes = torch.empty(x.shape, dtype=torch.int8)
    for codes_part, part, factor in zip(*(t.split(4096) for t in (codes, x, factors)), strict=True):
        codes_part.copy_((part * factor).round_())
    return codes.numpy()


def _rows(job: SearchJob, answer: Any) -> Tensor:
    keys = torch.from_numpy(answer.keys.astype(np.int64))
    return keys.view(len(job.near.queries), job.near.k)


RIVALS = (Rival("usearch", ("search",), _search, finds(_rows)),)
