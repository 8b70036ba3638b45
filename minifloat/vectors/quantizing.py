"""Float rows made packed rows."""

from __future__ import annotations

import warnings
from typing import Literal

import torch
from torch import Tensor

from minifloat.arrays import RowsLike, as_rows
from minifloat.formats import Format, FormatLike, as_format
from minifloat.frames import Frame, tensors_of
from minifloat.vectors.packed import PackedVectors

_ops = torch.ops.minifloat

Scale = Literal["amax", "cosine", "none"]
Estimator = Literal["norm", "unbiased"]
Rounding = Literal["nearest", "feedback"]

# A frame whose axes hold less than this share of what they held of its sample is stale.
_STALE = 0.5
# Fewer rows tell nothing of that: one by itself may lie anywhere.
_FEWEST_JUDGED = 16

# Values that are projected at once.
_PROJECTED = 1 << 22


def quantize(
    x: RowsLike,
    format: FormatLike,
    *,
    frame: Frame | None = None,
    scale: Scale | None = None,
    estimator: Estimator | None = None,
    rounding: Rounding = "nearest",
    saturate: bool = True,
    errors: bool = False,
) -> PackedVectors:
    """Return the rows of x, (rows, dim), packed in a format: each value the nearest, ties to even.

    x is a tensor, an array, a list of rows, or a data frame or a column of rows (pandas, Polars,
    Arrow). What `dequantize`, `scores` and `search` later give of the rows is of its kind: tensors
    if x is a tensor, else NumPy arrays.

    frame: each row keeps its coordinates along the frame's axes as float32, and the rest of the row
    is turned and rounded. This keeps cosines in 4 bits where a model's values have an offset. Only
    rows in the same frame are scored together.

    scale: what multiplies a row, or its rest in a frame, before it is rounded. The factor is not
    kept, for cosines do not change with a row's length.

    - "amax", the default without a frame: F_max / E_max, the format's largest value over the row's
      largest magnitude (Kolmakov and Golubinskiy, 2026).
    - "cosine", the default in a frame: of eight multiples of that, from 5/8 to 12/8, the one whose
      codes are at the least angle to the row. Values above F_max become F_max.
    - "none": nothing. `saturate` says what becomes of values that are too large, as in `encode`.

    estimator: what each row's product of codes is multiplied by.

    - "norm", the default without a frame: the reciprocal norm of the decoded row. Scores are the
      cosines of decoded rows.
    - "unbiased", the default in a frame: what makes the product of the codes with the row itself,
      at length 1, be 1. Scores are right on average, so that thresholds stay where they were.

    rounding: "nearest", or "feedback" in a frame that was fitted with it. Feedback chooses the
    codes of a row one after the other. Each takes up errors of those before it, so that errors go
    where rows like the frame's sample seldom are. It costs dim / 2 products a value, here alone.

    errors: keep one byte a row, the largest angle by which rounding may have turned it. `search`
    with `originals` needs it. Feedback turns rows further, so more originals are read.

    Raises ValueError for a row that holds NaN or infinity, and names it. Warns where the frame's
    axes hold less than half of what they held of its sample.
    """
    f = as_format(format)
    from_numpy = not isinstance(x, Tensor)
    x = as_rows("x", x).detach()
    scale = scale or ("amax" if frame is None else "cosine")
    estimator = estimator or ("norm" if frame is None else "unbiased")
    feeds_back = _feeds_back(rounding, frame, scale)
    how, coordinates = (f.name, scale, estimator, saturate), None
    if frame is None:
        codes, norms = _ops.quantize(x, *how)
    else:
        _check_rows(x, frame.dim)
        tensors = tensors_of(frame, x.device, feeds_back=feeds_back)
        codes, norms, coordinates = _ops.quantize_in_frame(x, tensors, *how)
        _warn_of_stale(frame, coordinates, norms)
    return PackedVectors(
        codes,
        norms,
        f,
        x.shape[1],
        from_numpy=from_numpy,
        estimator=estimator,
        frame=frame,
        coordinates=coordinates,
        errors=_errors(x, codes, f, frame) if errors else None,
    )


def _errors(x: Tensor, codes: Tensor, format: Format, frame: Frame | None) -> Tensor:
    """Return the angles between rows, or their rests in a frame, and their codes, in bytes."""
    if frame is None:
        found: Tensor = _ops.angles(x, codes, format.name)
        return found
    found = torch.empty(len(x), dtype=torch.uint8, device=x.device)
    tensors = tensors_of(frame, x.device)
    step = max(1, _PROJECTED // x.shape[1])
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        rest, *_ = _ops.project(x[some], tensors)
        found[some] = _ops.angles(rest, codes[some], format.name)
    return found


def _feeds_back(rounding: str, frame: Frame | None, scale: str) -> bool:
    """Return whether codes take up errors; ValueError where they cannot, or should not."""
    if rounding not in ("nearest", "feedback"):
        raise ValueError(f"rounding must be one of nearest, feedback; got {rounding!r}")
    if rounding == "nearest":
        return False
    if frame is None or frame.feedback is None:
        raise ValueError(
            "rounding 'feedback' needs a frame that was fitted with feedback=True; got "
            f"{'no frame' if frame is None else frame}"
        )
    if scale == "none":
        raise ValueError("rounding 'feedback' needs scale 'amax' or 'cosine'; got 'none'")
    frame.feedback.refuse_if_worthless()
    return True


def _check_rows(x: Tensor, dim: int) -> None:
    if x.ndim != 2 or x.shape[1] != dim:
        raise ValueError(f"x must have shape (rows, {dim}), as its frame; got {tuple(x.shape)}")


def _warn_of_stale(frame: Frame, coordinates: Tensor, norms: Tensor) -> None:
    """Warn of rows of which a frame holds much less than of its sample; zero rows tell nothing."""
    fitted, squares = sum(frame.shares), coordinates.square().sum(1)
    rows = int(((squares > 0) | (norms != 0)).sum())
    held = float(squares.sum()) / rows if rows else fitted
    if rows >= _FEWEST_JUDGED and held < _STALE * fitted:
        warnings.warn(
            f"the axes of the frame hold {held:.1%} of the squares of these rows' lengths, and of "
            f"those of its sample {fitted:.1%}: fit a frame to rows like these",
            stacklevel=3,
        )
