"""The bound of a streaming kernel: what the machine's own copy or read of as many bytes takes.

An operation that reads r bytes and writes w is held against a copy that reads (r + w) / 2 and
writes as many, from and into memory already in use. Its share of the limit is the time of that
copy over its own. Reading is cheaper than writing, so an operation that mostly reads may exceed 1.

A search reads its whole database and writes next to nothing: it is held against a plain read of
as many bytes. That is a lower bound of what the cores can read, so a share may exceed 1. It is held
against as many products too, on the fastest unit for exact products that the instruction set in use
has, tiles included, of elements that stay in its registers.
"""

from functools import partial

import numpy as np
import torch

from benchmarks.harness.contest import Entrant, limit

# Of fewer bytes, a copy or a read takes the time of its call.
LEAST_BYTES = 16 * 1024


def copies(bytes_moved: int) -> list[Entrant]:
    """Return the copies of which the faster is the limit; none where it would say nothing.

    NumPy's is memcpy, on one thread; torch's takes all the threads that torch has been given.
    """
    if bytes_moved < LEAST_BYTES:
        return []
    source = torch.ones(bytes_moved // 2, dtype=torch.uint8)
    target = torch.ones_like(source)
    by_numpy = partial(np.copyto, target.numpy(), source.numpy())
    by_torch = partial(target.copy_, source)
    return [
        limit("copy by NumPy", lambda: by_numpy, bytes=bytes_moved),
        limit("copy by torch", lambda: by_torch, bytes=bytes_moved),
    ]


def reads(bytes_read: int) -> list[Entrant]:
    """Return the reads of which the faster is the limit; none where it would say nothing.

    NumPy's is a maximum, on one thread; torch's is a sum, on all the threads it has been given.
    """
    if bytes_read < LEAST_BYTES:
        return []
    # One for each: what the other has just read is in the cache in part.
    sources = [torch.ones(bytes_read // 4, dtype=torch.float32) for _ in range(2)]
    by_numpy, by_torch = sources[0].numpy().view(np.uint32).max, sources[1].sum
    return [
        limit("read by NumPy", lambda: by_numpy, bytes=bytes_read),
        limit("read by torch", lambda: by_torch, bytes=bytes_read),
    ]
