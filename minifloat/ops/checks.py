"""What the tensors of all operators must be, and the errors that say so."""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat import _C
from minifloat.formats import as_format

# The order is the kernels' numbering of sources.
SOURCES: tuple[torch.dtype, ...] = tuple(getattr(torch, name) for name in _C.SOURCES)


def name_of(dtype: torch.dtype) -> str:
    """Return how errors name a type."""
    return str(dtype).removeprefix("torch.")


def check_values(x: Tensor) -> None:
    """Raise TypeError for values of a type that encoders do not take."""
    if x.dtype not in SOURCES:
        allowed = ", ".join(map(name_of, SOURCES))
        raise TypeError(f"x must be one of {allowed}; got {name_of(x.dtype)}")


def check_codes(name: str, codes: Tensor) -> None:
    """Raise TypeError for codes, or packed rows, that are no bytes."""
    if codes.dtype != torch.uint8:
        raise TypeError(f"{name} must be uint8; got {name_of(codes.dtype)}")


def check_packed(name: str, packed: Tensor, format: str, dim: int) -> None:
    """Raise TypeError or ValueError for what are no packed rows of a dim."""
    check_codes(name, packed)
    wanted = as_format(format).row_bytes(dim)
    shape = packed.shape
    if not shape or shape[-1] != wanted:
        raise ValueError(
            f"{name} must have {wanted} bytes a row for dim {dim} in {format}; "
            f"got shape {tuple(shape)}"
        )


def check_device(name: str, tensor: Tensor, device: torch.device) -> None:
    """Raise ValueError for a tensor that is on another device."""
    if tensor.device != device:
        raise ValueError(f"{name} must be on {device}; got {tensor.device}")
