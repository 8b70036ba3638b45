"""The operators that make of each row, or value, of one tensor something of its own.

Each is the one function that checks its arguments and makes the tensor for the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from minifloat.formats import as_format
from minifloat.ops.checks import check_codes, check_packed, check_values


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Codes of x, one a byte: uint8, the shape of x."""
    check_values(x)
    return shaped_like(x, torch.uint8)


def decode(codes: Tensor, format: str) -> Tensor:
    """Values of codes: float32, the shape of codes."""
    check_codes("codes", codes)
    return shaped_like(codes, torch.float32)


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    """The values that x becomes by encode and decode, in the dtype of x."""
    check_values(x)
    return shaped_like(x, x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    """Dense rows of codes (..., dim): uint8, (..., row_bytes)."""
    check_codes("codes", codes)
    return _packed_like(codes, format)


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    """Codes of dense rows (..., row_bytes): uint8, (..., dim)."""
    check_packed("packed", packed, format, dim)
    return torch.empty((*packed.shape[:-1], dim), dtype=torch.uint8, device=packed.device)


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Dense rows of the codes of x (..., dim): uint8, (..., row_bytes)."""
    check_values(x)
    return _packed_like(x, format)


def quantize(x: Tensor, format: str, scales: bool, saturate: bool) -> tuple[Tensor, Tensor]:
    """Dense rows of the codes of x (rows, dim), and what `reciprocal_norms` of these are.

    If it scales, each row is first multiplied so that its largest magnitude becomes the format's.
    ValueError, by its values, for a row that is not finite.
    """
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"x must have shape (rows, dim), dim at least 1; got {tuple(x.shape)}")
    codes = encode_pack(x, format, saturate)
    return codes, torch.empty(len(x), dtype=torch.float32, device=x.device)


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    """1 / norm of each decoded row; 0 for a zero row, NaN for one that is not finite."""
    check_packed("packed", packed, format, dim)
    return torch.empty(packed.shape[:-1], dtype=torch.float32, device=packed.device)


def shaped_like(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a new contiguous tensor of the shape of x."""
    # Half the time of torch.empty with a shape, a dtype and a device.
    return torch.empty_like(x, dtype=dtype, memory_format=torch.contiguous_format)


def _packed_like(x: Tensor, format: str) -> Tensor:
    if x.ndim == 0:
        raise ValueError("packing needs at least 1 dimension; got a tensor of 0")
    shape = (*x.shape[:-1], as_format(format).row_bytes(x.shape[-1]))
    return torch.empty(shape, dtype=torch.uint8, device=x.device)
