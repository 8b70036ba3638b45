"""Flat searches of scalable-vs, on torch's number of threads: float16, and LVQ in 8 bits."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache, partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, get_num_threads

from benchmarks.harness.rival import NotHereError, Rival
from benchmarks.harness.timing import Run
from benchmarks.search import SearchJob, finds

# Bytes that compressed rows begin at multiples of, one of the two that its documentation names as
# the fastest.
_PADDING = 32
# On processors that LVQ is not for it ends the process that asks, so another one asks first.
_PROBE = """
import sys, numpy, svs
svs.write_vecs(numpy.eye(8, dtype="float32"), sys.argv[1])
rows = svs.VectorDataLoader(sys.argv[1], svs.float32)
svs.Flat(svs.LVQLoader(rows, *map(int, sys.argv[2:])), svs.MIP)
"""


def _float16(job: SearchJob) -> Run:
    """Return the search of float16 rows, whatever the format."""
    import svs

    return _search(job, svs.Flat(job.near.rows.half().numpy(), svs.MIP, get_num_threads()))


def _lvq(job: SearchJob, *, primary: int, residual: int = 0) -> Run | None:
    """Return the search of rows with so many bits a value, and so many for what these leave."""
    if job.format.bits != primary + residual:
        return None
    refusal = _refusal(primary, residual)
    if refusal is not None:
        raise NotHereError(refusal)
    import svs

    # It compresses rows of files alone.
    with TemporaryDirectory() as folder:
        path = f"{folder}/rows.fvecs"
        svs.write_vecs(job.near.rows.numpy(), path)
        rows = svs.VectorDataLoader(path, svs.float32, dims=job.near.rows.shape[1])
        compressed = svs.LVQLoader(rows, primary, residual, _PADDING)
        index = svs.Flat(compressed, svs.MIP, num_threads=get_num_threads())
    return _search(job, index)


@lru_cache
def _refusal(*bits: int) -> str | None:
    """Return why it does not compress to so many bits here, in its own words; None if it does."""
    with TemporaryDirectory() as folder:
        told = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE, f"{folder}/rows.fvecs", *map(str, bits)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if told.returncode == 0:
        return None
    return told.stdout.strip().rpartition("\n")[2] or f"it ends with {told.returncode}"


def _search(job: SearchJob, index: Any) -> Run:
    return partial(index.search, job.near.queries.numpy(), job.near.k)


def _rows(job: SearchJob, answer: Any) -> Tensor:
    return torch.from_numpy(answer[0].astype(np.int64))


RIVALS = (
    Rival("svs float16", ("search",), _float16, finds(_rows)),
    Rival("svs LVQ8", ("search",), partial(_lvq, primary=8), finds(_rows)),
    Rival("svs LVQ4x4", ("search",), partial(_lvq, primary=4, residual=4), finds(_rows)),
)
