"""Codes that take up each other's errors, which go where queries seldom are.

Codes of a row are chosen one after the other, each for its value and shares of the errors of those
before it. The shares come from the second moment of a sample, as those by which GPTQ (Frantar and
others, 2023) rounds weights come from that of their inputs: of errors e of a row, q . e is small
for queries q that are as the sample is. Only encoding is another; codes are read as any.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from minifloat.formats import FORMATS

_ops = torch.ops.minifloat

# So many rows tell the shares.
LEAST_ROWS = 500

# Feedback that leaves more than this of the errors is not worth its time, nor sure to help others.
WORTH = 0.9

# The moment is that of the sample, and so much of its mean on the diagonal.
_DIAGONAL = 0.3

# The sample is held back a fifth at a time, of at most so many rows; errors are those of products
# with so many nearest.
_PARTS, _MOST_HELD_BACK, _NEAREST = 5, 1000, 3


@dataclass(frozen=True, eq=False)
class Feedback:
    """How errors are fed back, and whether that pays.

    shares: float32 (dim, dim), of the error at the place of a column what the code at the place of
    a row takes up: 0 on the diagonal and above it. gain: what is left of the errors of products in
    the fewest bits, of rows held back of the sample with their nearest. forced: whether it is used
    anyway.
    """

    shares: Tensor
    gain: float
    forced: bool

    @staticmethod
    def fit(rests: Tensor, *, forced: bool) -> Feedback:
        """Return that of the rests of rows in a frame, each at its own length (rows, dim)."""
        if len(rests) < LEAST_ROWS:
            raise ValueError(
                f"feedback needs a sample of at least {LEAST_ROWS} rows; got {len(rests)}"
            )
        return Feedback(_shares(rests), _gain(rests), forced)

    def refuse_if_worthless(self) -> None:
        """Raise ValueError where feedback leaves too much of the errors, unless it is forced."""
        if self.gain > WORTH and not self.forced:
            raise ValueError(
                f"feedback leaves {self.gain:.2f} of the errors of products of the frame's sample, "
                f"more than {WORTH}: take rounding='nearest', or fit the frame with "
                "feedback='force'"
            )


def refuse_wrong(feedback: Any, dim: int) -> None:
    """Raise ValueError for what is no feedback of rows of a dim."""
    if feedback is None:
        return
    if not isinstance(feedback, Feedback):
        raise ValueError(f"feedback must be a Feedback or None; got {feedback!r}")
    shares = feedback.shares
    if (
        not isinstance(shares, Tensor)
        or shares.dtype != torch.float32
        or shares.shape != (dim, dim)
        or not shares.is_cpu
        or not isinstance(feedback.gain, float)
        or type(feedback.forced) is not bool
    ):
        raise ValueError(f"feedback must have float32 shares ({dim}, {dim}); got {feedback!r}")


def _shares(rests: Tensor) -> Tensor:
    """Return the shares of errors that rows like these want: float32 (dim, dim)."""
    moment = rests.T @ rests
    mean = moment.diagonal().mean()
    # All is the same where nothing is left beside the axes.
    moment.diagonal().add_(_DIAGONAL * mean if mean > 0 else 1.0)
    # Of the factors of moment = L^T D L the unit lower triangle: Cholesky's with places reversed.
    lower: Tensor = torch.linalg.cholesky(moment.flip(0, 1)).flip(0, 1).T
    return (lower / lower.diagonal()[:, None]).tril(-1).float().contiguous()


def _gain(rests: Tensor) -> float:
    """Return the errors of products with near rows that feedback leaves, of those without.

    Of each part of the sample with shares from the others: neighbours in a sample may be of one
    kind, such as a speaker, and shares must serve other kinds.
    """
    left, right = 0.0, 0.0
    for held_back in torch.arange(len(rests)).chunk(_PARTS):
        others = torch.ones(len(rests), dtype=torch.bool)
        others[held_back] = False
        shares = _shares(rests[others])
        rows = rests[held_back[:_MOST_HELD_BACK]]
        lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        rows = (rows / lengths)[lengths[:, 0] > 0]
        if len(rows) > _NEAREST:
            near = (rows @ rows.T).fill_diagonal_(-2).topk(_NEAREST).indices
            left += float(_errors(rows, shares).gather(1, near).square().sum())
            right += float(_errors(rows, shares[:0]).gather(1, near).square().sum())
    return math.sqrt(left / right) if right > 0 else 1.0


def _errors(rows: Tensor, shares: Tensor) -> Tensor:
    """Return the products of the errors of rows with all rows: (rows, rows)."""
    f, dim = min(FORMATS, key=lambda format: format.bits), rows.shape[1]
    none = torch.empty(0, dim)
    frame = [none, none, none.long(), shares]
    codes, norms, _ = _ops.quantize_in_frame(
        rows.float(), frame, f.name, "cosine", "unbiased", True
    )
    values = _ops.decode(_ops.unpack(codes, f.name, dim), f.name).double()
    errors: Tensor = rows - values * norms[:, None]
    return errors @ rows.T


torch.serialization.add_safe_globals([Feedback])
