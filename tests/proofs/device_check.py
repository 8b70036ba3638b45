"""Runs every CUDA kernel on small inputs, for a checker of a GPU's memory and threads to watch:

compute-sanitizer --tool memcheck python -m tests.proofs.device_check cuda e2m1
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Each tensor is memory of its own, so that what is beyond it is seen. Torch looks when it starts.
os.environ["PYTORCH_NO_CUDA_MEMORY_CACHING"] = "1"

import torch
from torch import Tensor

import minifloat as mf
from minifloat.ops import OPERATORS
from tests.support.arguments import arguments, outputs
from tests.support.rows import normal

# Rows that fill no block; dims that fill steps, in one piece of a row or more, and one that does
# not; few queries and many.
ROWS, DIMS, QUERIES, NEIGHBOURS = 700, (33, 64, 320), (3, 130), (5, 300)


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
            rows = mf.quantize(normal(ROWS, dim), format).to(device)
            for count in QUERIES:
                for k in NEIGHBOURS:
                    mf.search(rows[:count], rows, k)
                    mf.scores(rows[:count], rows)
                    mf.search(normal(count, dim, seed=1).to(device), rows, k)
                    calls += 3
            print(f"{format}, dim {dim}: {calls} calls so far", flush=True)
    return calls


if __name__ == "__main__":
    _device, *_names = sys.argv[1:] or ["cuda"]
    _formats = [mf.formats.as_format(name) for name in _names] or mf.FORMATS
    print(check(_device, _formats), "calls")
    if _device == "cuda":
        torch.cuda.synchronize()
