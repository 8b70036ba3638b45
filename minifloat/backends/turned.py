"""Angles between rows and their codes, in torch, by a backend's own decoder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from minifloat.angles import CHORDS, chords

# Values that are looked at at once.
_CHUNK = 1 << 24


def turned(
    unpack: Callable[[Tensor, str, int, Tensor], None],
    decode: Callable[[Tensor, str, Tensor], None],
) -> Callable[[Tensor, Tensor, str, Tensor], None]:
    """Return the function that fills a tensor with the angles between rows and their codes."""

    def angles(x: Tensor, packed: Tensor, format: str, out: Tensor) -> None:
        angles_by_chord = _chords_on(x.device)
        step = max(1, _CHUNK // x.shape[1])
        for first in range(0, len(x), step):
            rows = x[first : first + step]
            codes = torch.empty(rows.shape, dtype=torch.uint8, device=x.device)
            unpack(packed[first : first + step], format, x.shape[1], codes)
            values = torch.empty(rows.shape, dtype=torch.float32, device=x.device)
            decode(codes, format, values)
            apart = chords(rows.double(), values.double())
            byte = torch.searchsorted(angles_by_chord, apart)
            out[first : first + step] = byte.to(torch.uint8)

    return angles


@cache
def _chords_on(device: torch.device) -> Tensor:
    """Return the chords of all angles on a device, which would be waited for at each copy."""
    return CHORDS.to(device)
