"""Tensors as the bytes of a message."""

from __future__ import annotations

import struct
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
    here = [None if one is None else _in_order(one) for one in tensors]
    header = [len(here)]
    for one in here:
        if one is None:
            header += [_ABSENT, 0, 0, 0]
        else:
            sizes = [*one.shape, *[1] * (2 - one.ndim)]
            header += [_DTYPES.index(one.dtype), one.ndim, *sizes]
    whole = bytearray(struct.pack(f"{len(header)}q", *header))
    for one in here:
        if one is not None and one.numel():
            whole += one.reshape(-1).view(torch.uint8).numpy().data
            # Whatever comes next can be read as numbers of any size.
            whole += bytes(-len(whole) % 8)
    return torch.frombuffer(whole, dtype=torch.uint8)


def _in_order(one: Tensor) -> Tensor:
    return one if one.is_cpu and one.is_contiguous() else one.detach().cpu().contiguous()


def of_message(data: Tensor) -> list[Tensor | None]:
    """Return the tensors of a message, in memory that is theirs."""
    # Messages begin behind a header of their own.
    whole = bytearray(data.numpy().data)
    (count,) = struct.unpack_from("q", whole)
    header = struct.unpack_from(f"{_FIELDS * count}q", whole, 8)
    at = 8 * (1 + _FIELDS * count)
    found: list[Tensor | None] = []
    for i in range(0, len(header), _FIELDS):
        place, ndim, *sizes = header[i : i + _FIELDS]
        if place == _ABSENT:
            found.append(None)
            continue
        dtype, numbers = _DTYPES[place], sizes[0] * sizes[1]
        if not numbers:
            found.append(torch.empty(sizes[:ndim], dtype=dtype))
            continue
        one = torch.frombuffer(whole, dtype=dtype, count=numbers, offset=at)
        found.append(one.reshape(sizes[:ndim]))
        at += one.nbytes + -one.nbytes % 8
    return found


def there(tensor: Tensor | None) -> Tensor:
    """Return a tensor that a message always has."""
    assert tensor is not None
    return tensor
