"""What a pickle of packed vectors must hold: `torch.load` gives whatever a file does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from minifloat.formats import Format
from minifloat.frames import Frame
from minifloat.scaling import ESTIMATORS

# What older pickles lack.
_ABSENT = {
    "from_numpy": False,
    "estimator": "norm",
    "frame": None,
    "coordinates": None,
    "errors": None,
}


def checked(state: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a pickle by their names; ValueError if they are not those of rows."""
    state = _ABSENT | state
    if sorted(state) != sorted(names):
        raise ValueError(f"PackedVectors have {', '.join(names)}; got {', '.join(map(str, state))}")
    _check_fields(**state)
    return state


def _check_fields(
    *,
    codes: Any,
    reciprocal_norms: Any,
    format: Any,
    dim: Any,
    from_numpy: Any,
    estimator: Any,
    errors: Any,
    **framed: Any,
) -> None:
    """Raise ValueError for fields that are not those of rows."""
    if not (isinstance(codes, Tensor) and isinstance(reciprocal_norms, Tensor)):
        kinds = f"{type(codes).__name__} and {type(reciprocal_norms).__name__}"
        raise ValueError(f"codes and reciprocal norms must be tensors; got {kinds}")
    if not isinstance(format, Format) or type(dim) is not int or dim < 1:
        raise ValueError(
            f"PackedVectors have a format and a dim of at least 1; got {format!r} and {dim!r}"
        )
    if not isinstance(from_numpy, bool):
        raise ValueError(f"from_numpy must be True or False; got {from_numpy!r}")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}; got {estimator!r}")
    rows = codes.shape[:1]
    _check("codes", codes, torch.uint8, (*rows, format.row_bytes(dim)), f"dim {dim} in {format}")
    _check("reciprocal norms", reciprocal_norms, torch.float32, (*rows,), "rows")
    if errors is not None:
        _check("errors", errors, torch.uint8, (*rows,), "rows")
    _check_framed(rows[0], dim, **framed)


def _check_framed(rows: int, dim: int, *, frame: Any, coordinates: Any) -> None:
    if frame is None and coordinates is None:
        return
    if not isinstance(frame, Frame) or not isinstance(coordinates, Tensor):
        raise ValueError(
            f"a frame has coordinates; got {type(frame).__name__} and {type(coordinates).__name__}"
        )
    _check("coordinates", coordinates, torch.float32, (rows, len(frame.axes)), "the frame's axes")
    if frame.dim != dim:
        raise ValueError(f"the frame must have dim {dim}, as the rows; got {frame.dim}")


def _check(name: str, tensor: Any, dtype: torch.dtype, shape: tuple[int, ...], what: str) -> None:
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name} must be a tensor; got {type(tensor).__name__}")
    if tensor.dtype != dtype or tensor.shape != shape:
        raise ValueError(
            f"{name} must be {str(dtype).removeprefix('torch.')} {shape} for {what}; "
            f"got {tensor.dtype} {tuple(tensor.shape)}"
        )
