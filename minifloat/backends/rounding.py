"""Rounding by a backend's own encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.ops.codec import shaped_like


def rounding(
    encode: Callable[[Tensor, str, bool, Tensor], None],
    decode: Callable[[Tensor, str, Tensor], None],
) -> Callable[[Tensor, str, bool, Tensor], None]:
    """Return the function that fills a tensor with values encoded and decoded."""

    def round(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
        codes = on_huge_pages(shaped_like(x, torch.uint8))
        encode(x, format, saturate, codes)
        if out.dtype == torch.float32:
            decode(codes, format, out)
        else:
            values = on_huge_pages(shaped_like(x, torch.float32))
            decode(codes, format, values)
            out.copy_(values)

    return round
