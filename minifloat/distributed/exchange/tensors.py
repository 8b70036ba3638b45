"""Tensors as the bytes of a message."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_DTYPES = (
    torch.uint8,
    torch.bool,
    torch.int16,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
)

# Of each tensor: its type, how many dimensions it has, and two sizes.
_FIELDS = 4
_ABSENT = -1


def as_message(tensors: Sequence[Tensor | None]) -> Tensor:
    """Return tensors of at most 2 dimensions, wherever they are, as bytes: uint8 (n,)."""
    here = [None if one is None else one.detach().cpu().contiguous() for one in tensors]
    header = [len(here)]
    for one in here:
        if one is None:
            header += [_ABSENT, 0, 0, 0]
        else:
            sizes = [*one.shape, *[1] * (2 - one.ndim)]
            header += [_DTYPES.index(one.dtype), one.ndim, *sizes]
    parts = [torch.tensor(header).view(torch.uint8)]
    for one in here:
        if one is not None and one.numel():
            data = one.reshape(-1).view(torch.uint8)
            # Whatever comes next can be read as numbers of any size.
            parts += [data, torch.zeros(-len(data) % 8, dtype=torch.uint8)]
    return torch.cat(parts)


def of_message(data: Tensor) -> list[Tensor | None]:
    """Return the tensors of a message, in memory that is theirs."""
    # Messages begin behind a header of their own.
    data = data.clone()
    count = int(data[:8].view(torch.int64))
    at = 8 * (1 + _FIELDS * count)
    header = data[8:at].view(torch.int64).reshape(count, _FIELDS).tolist()
    found: list[Tensor | None] = []
    for dtype, ndim, *sizes in header:
        if dtype == _ABSENT:
            found.append(None)
            continue
        kind = _DTYPES[dtype]
        bytes = sizes[0] * sizes[1] * kind.itemsize
        some = data[at : at + bytes]
        found.append(some.view(kind).reshape(sizes[:ndim]))
        at += bytes + -bytes % 8
    return found


def there(tensor: Tensor | None) -> Tensor:
    """Return a tensor that a message always has."""
    assert tensor is not None
    return tensor
