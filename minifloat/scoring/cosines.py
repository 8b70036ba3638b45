"""Cosines of rows, straight from packed rows."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from minifloat.arrays import Array, RowsLike, as_made, as_tensor
from minifloat.ops import answer, answer_into
from minifloat.ops.products import AllScores, PairScores
from minifloat.scoring.queries import are_from_numpy, sides_of, without_derivatives
from minifloat.vectors import PackedVectors


@overload
def scores(
    a: PackedVectors | RowsLike,
    b: PackedVectors,
    *,
    pairs: None = None,
    out: Array,
) -> Array: ...
@overload
def scores(a: Tensor, b: PackedVectors, *, pairs: Any = None, out: None = None) -> Tensor: ...
# What packed rows were made from is not in their type.
@overload
def scores(
    a: PackedVectors | Tensor, b: PackedVectors, *, pairs: Any = None, out: None = None
) -> Any: ...
@overload
def scores(
    a: ArrayLike, b: PackedVectors, *, pairs: Any = None, out: None = None
) -> NDArray[Any]: ...
def scores(
    a: PackedVectors | RowsLike,
    b: PackedVectors,
    *,
    pairs: Tensor | NDArray[Any] | None = None,
    out: Tensor | NDArray[Any] | None = None,
) -> Tensor | NDArray[Any]:
    """Return cosines of the rows of a and b: float32, (len(a), len(b)).

    With pairs, (n, 2) int64, return the n cosines of rows a[pairs[:, 0]] and b[pairs[:, 1]]
    instead, with no matrix in between. a holds packed rows (symmetric: codes against codes) or
    float rows (asymmetric, which takes a's share out of the error). A zero row scores 0, a row
    that holds infinity or NaN scores NaN. The answer is of the kind that a is, or was packed from:
    a tensor for a tensor, else a NumPy array (`PackedVectors.from_numpy`).

    The matrix goes to `out` if that is given, a contiguous float32 tensor or array of its shape: so
    blocks of a large matrix, as scores(a[i:j], b, out=buffer), need no memory of their own. Rows
    against themselves, scores(a, a), take half the products.
    """
    sides = sides_of(a, b)
    if out is not None:
        if pairs is not None:
            raise ValueError("out takes the matrix of all scores; got pairs as well")
        answer_into(AllScores(sides), _writable(out))
        return out
    asked = AllScores(sides) if pairs is None else PairScores(sides, as_tensor(pairs))
    found: Tensor | NDArray[Any] = as_made(are_from_numpy(a), answer(asked))
    return found


def _writable(out: Tensor | NDArray[Any]) -> Tensor:
    """Return the tensor that is the array's memory, never a copy of it."""
    if isinstance(out, np.ndarray) and not (
        out.dtype == np.float32 and out.flags.writeable and out.flags.c_contiguous
    ):
        access = "" if out.flags.writeable else " read-only"
        order = "" if out.flags.c_contiguous else " not contiguous"
        raise ValueError(
            f"out must be a writable, C-contiguous float32 array; got{access}{order} {out.dtype}"
        )
    return without_derivatives("out", as_tensor(out))
