"""Runs every CUDA kernel on small inputs, for a checker of a GPU's memory and threads to watch:

compute-sanitizer --tool memcheck python -m tests.proofs.device_check cuda e2m1
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

# Each tensor is memory of its own, so that what is beyond it is seen. Torch looks when it starts.
os.environ["PYTORCH_NO_CUDA_MEMORY_CACHING"] = "1"

import torch
from torch import Tensor

import minifloat as mf
from minifloat.ops import OPERATORS
from tests.support.arguments import arguments, outputs
from tests.support.rows import normal

# Rows that fill no block; dims that fill steps, in one piece of a row or more, and one that does
# not; queries that are few, that fill a narrow tile and that fill many.
ROWS, DIMS, QUERIES, NEIGHBOURS = 700, (33, 64, 320, 768), (3, 20, 130), (5, 300)
AXES = 2


def check(device: str, formats: Sequence[mf.Format]) -> int:
    """Return how many calls were made."""
    calls = 0
    for format in formats:
        for operator in OPERATORS:
            for sample in arguments(operator.name, format):
                there = [x.detach().to(device) if isinstance(x, Tensor) else x for x in sample]
                outputs(operator.name, tuple(there))
                calls += 1
        for dim in DIMS:
            for search in searches(device, format, dim):
                search()
                calls += 1
            print(f"{format}, dim {dim}: {calls} calls so far", flush=True)
    return calls


def searches(device: str, format: mf.Format, dim: int) -> Iterator[Callable[[], object]]:
    """Yield what is asked of rows of a dim: of all kinds, in a frame, and of any address."""
    x, others = normal(ROWS, dim).to(device), normal(max(QUERIES), dim, seed=1).to(device)
    rows = mf.quantize(x, format)
    yield partial(mf.unpack, rows.codes, format, dim)
    for count in QUERIES:
        yield partial(mf.scores, rows[:count], rows)
        yield partial(mf.search, others[:count], rows, NEIGHBOURS[0])
        for k in NEIGHBOURS:
            yield partial(mf.search, rows[:count], rows, k)
    if dim in DIMS[:2]:
        frame = mf.Frame.fit(x, AXES)
        framed, moved = mf.quantize(x, format, frame=frame), anywhere(rows)
        for count in QUERIES:
            yield partial(mf.search, framed[:count], framed, NEIGHBOURS[0])
            yield partial(mf.search, rows[:count], moved, NEIGHBOURS[0])


def anywhere(rows: mf.PackedVectors) -> mf.PackedVectors:
    """Return the same rows, whose bytes begin one after a multiple of 16."""
    flat = torch.cat([rows.codes.new_zeros(1), rows.codes.flatten()])[1:]
    return mf.PackedVectors(
        flat.view(rows.codes.shape), rows.reciprocal_norms, rows.format, rows.dim
    )


if __name__ == "__main__":
    _device, *_names = sys.argv[1:] or ["cuda"]
    _formats = [mf.formats.as_format(name) for name in _names] or mf.FORMATS
    print(check(_device, _formats), "calls")
    if _device == "cuda":
        torch.cuda.synchronize()
