"""The operators that make of each row, or value, of one tensor something of its own.

Each is the one function that checks its arguments and makes the tensor for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from minifloat.formats import as_format
from minifloat.ops.checks import (
    check_codes,
    check_device,
    check_packed,
    check_values,
    name_of,
)
from minifloat.ops.rows import element_dtype
from minifloat.scaling import ESTIMATORS, SCALES

# What an operator takes a frame as: tensors of so many rows, each of as many values as a row has.
_FRAME = {
    "axes": torch.float32,
    "signs": torch.float32,
    "order": torch.int64,
    "shares": torch.float32,
}


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


def quantize(
    x: Tensor, format: str, scale: str, estimator: str, saturate: bool
) -> tuple[Tensor, Tensor]:
    """Dense rows of the codes of x (rows, dim), and what products with each are multiplied by.

    Scale "amax" first multiplies each row so that its largest magnitude becomes the format's,
    "cosine" by that of a few multiples of this whose codes are at the least angle to the row, those
    above the format's largest value being that.
    Estimator "norm" gives what `reciprocal_norms` are, "unbiased" what makes the product of the
    codes with the row itself, at length 1, be 1. ValueError, by its values, for a row that is not
    finite.
    """
    _check_rows(x)
    for name, given, allowed in (("scale", scale, SCALES), ("estimator", estimator, ESTIMATORS)):
        if given not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {given!r}")
    codes = encode_pack(x, format, saturate)
    return codes, torch.empty(len(x), dtype=torch.float32, device=x.device)


def quantize_in_frame(
    x: Tensor, frame: Sequence[Tensor], format: str, scale: str, estimator: str, saturate: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """What `quantize` makes of the rests that `project` leaves of x (rows, dim), and coordinates.

    What products are multiplied by is that times the length of the rest. Where the frame has shares
    of errors, each code takes up those of the codes before it. ValueError, by its values, for a row
    that is not finite.
    """
    codes, norms = quantize(x, format, scale, estimator, saturate)
    _check_frame(x, frame)
    return codes, norms, norms.new_empty(len(x), len(frame[0]))


def project(x: Tensor, frame: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """What is left of x (rows, dim) beside its parts along axes, turned: float32, its shape.

    And, of rows at length 1, the coordinates along the axes (rows, axes) and the length of what is
    left (rows,), float32: 0 for a zero row, NaN for one that is not finite. frame: axes (axes,
    dim), float32 and orthonormal, the signs and the order of a `minifloat.turning.Turn`, and shares
    (dim, dim) or (0, dim) of the error at each place (of columns) that the code of a later place
    (of rows) takes up, float32.
    """
    _check_rows(x)
    check_values(x)
    _check_frame(x, frame)
    rest = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    return rest, rest.new_empty(len(x), len(frame[0])), rest.new_empty(len(x))


def to_lane(x: Tensor, format: str) -> tuple[Tensor, Tensor]:
    """Queries x (rows, dim) as products with rows of a format take floats: int16, or float32.

    Each is multiplied so that its largest magnitude becomes 1 in float32, in int16 the largest for
    which products with a row add up in an int32, and rounded. And the reciprocal norm of what it
    then is (rows,), float32: 0 for a zero row. ValueError, by its values, for a row that is not
    finite; on a GPU, where a look would wait, its norm is NaN.
    """
    _check_rows(x)
    check_values(x)
    elements = shaped_like(x, element_dtype(format))
    return elements, x.new_empty(x.shape[0], dtype=torch.float32)


def to_lane_in_frame(
    x: Tensor, frame: Sequence[Tensor], format: str
) -> tuple[Tensor, Tensor, Tensor]:
    """What `to_lane` makes of the rests that `project` leaves of x (rows, dim), and coordinates.

    The norms are those times the length of the rest.
    """
    elements, norms = to_lane(x, format)
    _check_frame(x, frame)
    return elements, norms, norms.new_empty(x.shape[0], frame[0].shape[0])


def _check_frame(x: Tensor, frame: Sequence[Tensor]) -> None:
    dim, device = x.shape[1], x.device
    if len(frame) != len(_FRAME):
        raise ValueError(f"frame must have {', '.join(_FRAME)}; got {len(frame)} tensors")
    rows = []
    for (name, dtype), tensor in zip(_FRAME.items(), frame, strict=True):
        shape = tensor.shape
        if tensor.dtype != dtype or len(shape) != 2 or shape[1] != dim:
            raise ValueError(
                f"{name} must be {name_of(dtype)} of shape (n, {dim}); "
                f"got {name_of(tensor.dtype)} of shape {tuple(shape)}"
            )
        check_device(name, tensor, device)
        rows.append(shape[0])
    _, rounds, orders, shares = rows
    if orders != max(0, rounds - 1):
        raise ValueError(
            f"order must have a row between two rounds of signs; got {orders} for {rounds}"
        )
    if shares not in (0, dim):
        raise ValueError(f"shares must have no rows or {dim}; got {shares}")


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    """1 / norm of each decoded row; 0 for a zero row, NaN for one that is not finite."""
    check_packed("packed", packed, format, dim)
    return torch.empty(packed.shape[:-1], dtype=torch.float32, device=packed.device)


def angles(x: Tensor, packed: Tensor, format: str) -> Tensor:
    """The angle between each row of x (rows, dim) and its codes at most: uint8, (rows,).

    It is that of `minifloat.angles` at this place.
    """
    _check_rows(x)
    check_values(x)
    check_packed("packed", packed, format, x.shape[1])
    if packed.shape[:-1] != x.shape[:1]:
        raise ValueError(
            f"packed must have {x.shape[0]} rows, as x; got shape {tuple(packed.shape)}"
        )
    check_device("packed", packed, x.device)
    return torch.empty(x.shape[:1], dtype=torch.uint8, device=x.device)


def _check_rows(x: Tensor) -> None:
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"x must have shape (rows, dim), dim at least 1; got {tuple(x.shape)}")


def shaped_like(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a new contiguous tensor of the shape of x."""
    # Half the time of torch.empty with a shape, a dtype and a device.
    return torch.empty_like(x, dtype=dtype, memory_format=torch.contiguous_format)


def _packed_like(x: Tensor, format: str) -> Tensor:
    if x.ndim == 0:
        raise ValueError("packing needs at least 1 dimension; got a tensor of 0")
    shape = (*x.shape[:-1], as_format(format).row_bytes(x.shape[-1]))
    return torch.empty(shape, dtype=torch.uint8, device=x.device)
