"""The bound of a streaming kernel: the machine's own copy of as many bytes.

An operation that reads r bytes and writes w is held against a copy that reads (r + w) / 2 and
writes as many, from and into memory already in use. Its share of the limit is the time of that
copy over its own. Reading is cheaper than writing, so an operation that mostly reads may exceed 1.
"""

from functools import partial

import numpy as np
import torch

from benchmarks.cases import Run

# Of fewer bytes, a copy takes the time of its call.
LEAST_BYTES = 16 * 1024


def copies(bytes_moved: int) -> dict[str, Run]:
    """Return the copies of which the faster is the limit; none where it would say nothing.

    NumPy's is memcpy, on one thread; torch's takes all the threads that torch has been given.
    """
    if bytes_moved < LEAST_BYTES:
        return {}
    source = torch.ones(bytes_moved // 2, dtype=torch.uint8)
    target = torch.ones_like(source)
    return {
        "copy by NumPy": partial(np.copyto, target.numpy(), source.numpy()),
        "copy by torch": partial(target.copy_, source),
    }
