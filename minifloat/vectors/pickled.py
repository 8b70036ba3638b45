"""What a pickle of packed vectors must hold: `torch.load` gives whatever a file does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from minifloat.formats import Format

# Of codes and of reciprocal norms.
_DTYPES = (torch.uint8, torch.float32)


def check_fields(codes: Any, norms: Any, format: Any, dim: Any, from_numpy: Any) -> None:
    """Raise ValueError for fields that are not those of rows."""
    if not (isinstance(codes, Tensor) and isinstance(norms, Tensor)):
        kinds = f"{type(codes).__name__} and {type(norms).__name__}"
        raise ValueError(f"codes and reciprocal norms must be tensors; got {kinds}")
    if not isinstance(format, Format) or type(dim) is not int or dim < 1:
        raise ValueError(
            f"PackedVectors have a format and a dim of at least 1; got {format!r} and {dim!r}"
        )
    if not isinstance(from_numpy, bool):
        raise ValueError(f"from_numpy must be True or False; got {from_numpy!r}")
    rows = codes.shape[:1]
    shapes = (*rows, format.row_bytes(dim)), rows
    if (codes.shape, norms.shape) != shapes or (codes.dtype, norms.dtype) != _DTYPES:
        raise ValueError(
            f"codes must be uint8 (rows, {format.row_bytes(dim)}) for dim {dim} in {format}, "
            f"and reciprocal norms float32 (rows,); got {codes.dtype} {tuple(codes.shape)} "
            f"and {norms.dtype} {tuple(norms.shape)}"
        )
