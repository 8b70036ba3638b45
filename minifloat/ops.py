"""The torch operators: for each, the one function that checks arguments and allocates results.

That function is the operator's schema (by its annotations) and its fake kernel, and every
backend's real kernel calls it first. Kernels trust what it has let through.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from minifloat import _C
from minifloat.formats import as_format

# The order is the kernels' numbering of sources.
SOURCES: tuple[torch.dtype, ...] = tuple(getattr(torch, name) for name in _C.SOURCES)


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Codes of x, one a byte: uint8, the shape of x."""
    check_values(x)
    return _shaped_like(x, torch.uint8)


def decode(codes: Tensor, format: str) -> Tensor:
    """Values of codes: float32, the shape of codes."""
    _check_codes("codes", codes)
    return _shaped_like(codes, torch.float32)


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    """The values that x becomes by encode and decode, in the dtype of x."""
    check_values(x)
    return _shaped_like(x, x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    """Dense rows of codes (..., dim): uint8, (..., row_bytes)."""
    _check_codes("codes", codes)
    return _packed_like(codes, format)


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    """Codes of dense rows (..., row_bytes): uint8, (..., dim)."""
    _check_packed("packed", packed, format, dim)
    return torch.empty((*packed.shape[:-1], dim), dtype=torch.uint8, device=packed.device)


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Dense rows of the codes of x (..., dim): uint8, (..., row_bytes)."""
    check_values(x)
    return _packed_like(x, format)


def reciprocal_norms(packed: Tensor, format: str, dim: int) -> Tensor:
    """1 / norm of each decoded row; 0 for a zero row, NaN for one that is not finite."""
    _check_packed("packed", packed, format, dim)
    return torch.empty(packed.shape[:-1], dtype=torch.float32, device=packed.device)


def scores(a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int) -> Tensor:
    """Cosines of all rows of a, packed or in their lane, and of packed b: float32, (a, b)."""
    _check_sides(a, a_norms, b, b_norms, format, dim)
    return torch.empty((a.shape[0], b.shape[0]), dtype=torch.float32, device=b.device)


def scores_into(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int, out: Tensor
) -> None:
    """Write what `scores` returns to a contiguous float32 tensor (a, b)."""
    _check_sides(a, a_norms, b, b_norms, format, dim)
    shape = (a.shape[0], b.shape[0])
    if out.dtype != torch.float32 or out.shape != shape or not out.is_contiguous():
        contiguous = "contiguous" if out.is_contiguous() else "not contiguous"
        raise ValueError(
            f"out must be contiguous float32 of shape {shape}; "
            f"got {contiguous} {_name(out.dtype)} of shape {tuple(out.shape)}"
        )
    _check_device("out", out, b)


def pair_scores(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, pairs: Tensor, format: str, dim: int
) -> Tensor:
    """Cosines of rows a[pairs[:, 0]] and b[pairs[:, 1]]: float32, (pairs,)."""
    _check_sides(a, a_norms, b, b_norms, format, dim)
    if pairs.dtype != torch.int64:
        raise TypeError(f"pairs must be int64; got {_name(pairs.dtype)}")
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"pairs must have shape (n, 2); got {tuple(pairs.shape)}")
    _check_device("pairs", pairs, b)
    return torch.empty(pairs.shape[0], dtype=torch.float32, device=b.device)


def search(
    a: Tensor,
    a_norms: Tensor,
    b: Tensor,
    b_norms: Tensor,
    mask: Tensor | None,
    ranges: Tensor | None,
    k: int,
    format: str,
    dim: int,
) -> tuple[Tensor, Tensor]:
    """The k best cosines of each row of a, and their rows of b: float32 and int64, (a, k).

    Of b, rows take part for which the bool mask (b,) holds and that lie in one of the int64 ranges
    (n, 2), which ascend and do not meet.
    """
    _check_sides(a, a_norms, b, b_norms, format, dim)
    if mask is not None:
        if mask.dtype != torch.bool or mask.shape != b.shape[:1]:
            raise ValueError(
                f"mask must be bool of shape ({b.shape[0]},); "
                f"got {_name(mask.dtype)} of shape {tuple(mask.shape)}"
            )
        _check_device("mask", mask, b)
    if ranges is not None:
        if ranges.dtype != torch.int64 or ranges.ndim != 2 or ranges.shape[1] != 2:
            raise ValueError(
                f"ranges must be int64 of shape (n, 2); "
                f"got {_name(ranges.dtype)} of shape {tuple(ranges.shape)}"
            )
        _check_device("ranges", ranges, b)
    if b.shape[0] == 0:
        raise ValueError(f"the database is empty: it has no rows to find; got k = {k}")
    if not 1 <= k <= b.shape[0]:
        raise ValueError(f"k must be in 1..{b.shape[0]}, the rows of the database; got {k}")
    shape = (a.shape[0], k)
    return (
        torch.empty(shape, dtype=torch.float32, device=b.device),
        torch.empty(shape, dtype=torch.int64, device=b.device),
    )


def selected(mask: Tensor | None, ranges: Tensor | None, b: Tensor, k: int) -> Tensor:
    """Return the ranges of a search; ValueError for wrong ones, or where k rows do not take part.

    It goes by values, so never when fake.
    """
    rows = len(b)
    if ranges is None:
        ranges = torch.tensor([[0, rows]], device=b.device)
        if mask is None:
            return ranges
    else:
        # Each end and what follows it: 0 <= begin <= end <= next begin <= ... <= rows.
        edges = torch.cat([ranges.new_zeros(1), ranges.flatten(), ranges.new_full((1,), rows)])
        wrong = (edges[1:] < edges[:-1]).nonzero()
        if len(wrong):
            first, last = (int(edges[int(wrong[0]) + i]) for i in (0, 1))
            raise ValueError(
                f"ranges must ascend within 0..{rows} and not overlap; got {last} after {first}"
            )
    if mask is None:
        count = int((ranges[:, 1] - ranges[:, 0]).sum())
    else:
        count = sum(int(mask[begin:end].count_nonzero()) for begin, end in ranges.tolist())
    if count == 0:
        raise ValueError(f"mask and ranges leave none of {rows} rows to find; got k = {k}")
    if k > count:
        raise ValueError(f"k must be in 1..{count}, the rows that take part; got {k}")
    return ranges


def check_pairs(pairs: Tensor, a: Tensor, b: Tensor) -> None:
    """Raise ValueError for a pair of rows that are not there; by its values, so never when fake."""
    if len(pairs) == 0:
        return
    low, high = (int(bound) for bound in pairs.aminmax())
    if low >= 0 and high < min(len(a), len(b)):
        return
    for name, rows, column in (("a", a, pairs[:, 0]), ("b", b, pairs[:, 1])):
        wrong = column[(column < 0) | (column >= len(rows))]
        if len(wrong):
            last = len(rows) - 1
            raise ValueError(f"pairs must name rows 0..{last} of {name}; got {int(wrong[0])}")


def element_dtype(format: str) -> torch.dtype:
    """Return the dtype of rows in their lane: int16 holds both integer lanes."""
    return torch.float32 if as_format(format).lane == "float" else torch.int16


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _shaped_like(x: Tensor, dtype: torch.dtype) -> Tensor:
    # Half the time of torch.empty with a shape, a dtype and a device.
    return torch.empty_like(x, dtype=dtype, memory_format=torch.contiguous_format)


def check_values(x: Tensor) -> None:
    """Raise TypeError for values of a type that encoders do not take."""
    if x.dtype not in SOURCES:
        allowed = ", ".join(map(_name, SOURCES))
        raise TypeError(f"x must be one of {allowed}; got {_name(x.dtype)}")


def _check_codes(name: str, codes: Tensor) -> None:
    if codes.dtype != torch.uint8:
        raise TypeError(f"{name} must be uint8; got {_name(codes.dtype)}")


def _check_device(name: str, tensor: Tensor, other: Tensor) -> None:
    if tensor.device != other.device:
        raise ValueError(f"{name} must be on {other.device}; got {tensor.device}")


def _packed_like(x: Tensor, format: str) -> Tensor:
    if x.ndim == 0:
        raise ValueError("packing needs at least 1 dimension; got a tensor of 0")
    shape = (*x.shape[:-1], as_format(format).row_bytes(x.shape[-1]))
    return torch.empty(shape, dtype=torch.uint8, device=x.device)


def _check_packed(name: str, packed: Tensor, format: str, dim: int) -> None:
    _check_codes(name, packed)
    wanted = as_format(format).row_bytes(dim)
    if packed.ndim == 0 or packed.shape[-1] != wanted:
        raise ValueError(
            f"{name} must have {wanted} bytes a row for dim {dim} in {format}; "
            f"got shape {tuple(packed.shape)}"
        )


def _check_sides(
    a: Tensor, a_norms: Tensor, b: Tensor, b_norms: Tensor, format: str, dim: int
) -> None:
    if a.dtype == element_dtype(format):
        if a.ndim != 2 or a.shape[1] != dim:
            raise ValueError(f"queries must have shape (rows, {dim}); got {tuple(a.shape)}")
    else:
        _check_packed("a", a, format, dim)
    _check_packed("b", b, format, dim)
    if dim < 1:
        raise ValueError(f"dim must be at least 1; got {dim}")
    for name, rows, norms in (("a", a, a_norms), ("b", b, b_norms)):
        if rows.ndim != 2:
            raise ValueError(f"{name} must have 2 dimensions; got {rows.ndim}")
        if norms.dtype != torch.float32 or norms.shape != rows.shape[:1]:
            raise ValueError(
                f"{name}_norms must be float32 of shape ({rows.shape[0]},); "
                f"got {_name(norms.dtype)} of shape {tuple(norms.shape)}"
            )
        _check_device(name, rows, b)
        _check_device(f"{name}_norms", norms, b)


# Those that make of each row, or value, of one tensor something of its own.
_BY_ROW = (encode, decode, round, pack, unpack, encode_pack, reciprocal_norms)

OPERATORS = (*_BY_ROW, scores, scores_into, pair_scores, search)

LIBRARY = torch.library.Library("minifloat", "DEF")
for _operator in OPERATORS:
    _mutated = [name for name in _operator.__annotations__ if name == "out"]
    _schema = torch.library.infer_schema(_operator, mutates_args=_mutated)
    LIBRARY.define(_operator.__name__ + _schema, tags=(torch.Tag.pt2_compliant_tag,))
    torch.library.register_fake(f"minifloat::{_operator.__name__}", _operator, lib=LIBRARY)


def _straight_through(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Round as if it were the identity, the usual choice for training."""
    with torch._C._AutoDispatchBelowAutograd():
        rounded: Tensor = torch.ops.minifloat.round.default(x, format, saturate)
    if not x.requires_grad and forward_ad.unpack_dual(x, level=0).tangent is None:
        return rounded
    # Derivatives of every kind are those of a copy, which is then written to below their sight.
    copy = x.clone(memory_format=torch.contiguous_format)
    with torch._C._AutoDispatchBelowAutograd():
        return copy.copy_(rounded)


def _of_a_batch(
    operator: str, info: Any, places: tuple[int, ...], x: Tensor, *rest: Any
) -> tuple[Tensor, int]:
    """Call an operator by row for all tensors of a batch, of which the first dimension counts."""
    return getattr(torch.ops.minifloat, operator).default(x.movedim(places[0], 0), *rest), 0


LIBRARY.impl("round", _straight_through, "Autograd")
for _operator in _BY_ROW:
    _rule = partial(_of_a_batch, _operator.__name__)
    torch.library.register_vmap(f"minifloat::{_operator.__name__}", _rule, lib=LIBRARY)
