"""Turns of rows, orthogonal and at random, by signs and Hadamard matrices.

`docs/reference/formats.md` specifies each sum, so that all devices make the same bits. Lengths grow
by a known factor, which is left in: no cosine depends on it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ROUNDS, _ROUNDS_OF_ENDS = 1, 2
_LEAST_BLOCK, _MOST_BLOCKS = 16, 15


class Turn(NamedTuple):
    """What turns rows of a dim: signs and, between rounds, other places for values.

    signs: float32 (rounds, dim), each 1 or -1; none turn nothing. order: int64 (rounds - 1, dim),
    for each value where it was before, or no rows where values stay where they are.
    """

    signs: Tensor
    order: Tensor

    @property
    def growth(self) -> float:
        """The factor by which the squares of lengths grow."""
        rounds, dim = self.signs.shape
        blocks, size = blocks_of(dim)
        return float(size * blocks * blocks) ** rounds if blocks else 1.0

    def to(self, device: torch.device) -> Turn:
        """Return the same on a device."""
        return Turn(*[part.to(device) for part in self])


def random_turn(dim: int, seed: int) -> Turn:
    """Return the turn of a seed: the first bits of SplitMix64 are signs, its words order values."""
    blocks, _ = blocks_of(dim)
    rounds = _ROUNDS if blocks else _ROUNDS_OF_ENDS
    words = _splitmix64(seed, (2 * rounds - 1) * dim).reshape(-1, dim)
    signs = 1 - 2 * (words[:rounds] >> np.uint64(63)).astype(np.float32)
    order = np.argsort(words[rounds:], axis=1, kind="stable")
    return Turn(torch.from_numpy(signs), torch.from_numpy(order[: 0 if blocks else None]))


def no_turn(dim: int) -> Turn:
    """Return the turn that leaves rows as they are."""
    return Turn(torch.empty(0, dim), torch.empty(0, dim, dtype=torch.int64))


def blocks_of(dim: int) -> tuple[int, int]:
    """Return in how many blocks of which size, a power of 2, rows are turned.

    There are none, and the size is that of the two ends which are turned, where the largest power
    of 2 in dim is too small for few blocks.
    """
    size = dim & -dim
    if size >= _LEAST_BLOCK and dim // size <= _MOST_BLOCKS:
        return dim // size, size
    return 0, 1 << (dim.bit_length() - 1)


def turned(x: Tensor, turn: Turn) -> Tensor:
    """Return rows turned: float32 (rows, dim)."""
    blocks, size = blocks_of(x.shape[1])
    for number, signs in enumerate(turn.signs):
        x = x * signs
        x = _mixed(_hadamard(x, size), blocks) if blocks else _ends(x, size, back=False)
        if number < len(turn.order):
            x = x[:, turn.order[number]]
    return x


def turned_back(x: Tensor, turn: Turn) -> Tensor:
    """Return what `turned` has made x of, but for roundings."""
    blocks, size = blocks_of(x.shape[1])
    for number in reversed(range(len(turn.signs))):
        if number < len(turn.order):
            x = x[:, turn.order[number].argsort()]
        x = _hadamard(_mixed(x, blocks), size) if blocks else _ends(x, size, back=True)
        x = x * turn.signs[number]
    return x.div(turn.growth)


def _hadamard(x: Tensor, size: int) -> Tensor:
    """Multiply blocks by the Hadamard matrix: sums and differences of ever longer runs."""
    shape, run = x.shape, 1
    while run < size:
        low, high = x.reshape(shape[0], -1, 2, run).unbind(2)
        x = torch.stack((low + high, low - high), 2)
        run *= 2
    return x.reshape(shape)


def _mixed(x: Tensor, blocks: int) -> Tensor:
    """Reflect the values at the same place of all blocks: each times their number less 2 sums."""
    if blocks == 1:
        return x
    parts: Tensor = x.unflatten(1, (blocks, -1))
    total = parts[:, 0]
    for part in parts.unbind(1)[1:]:
        total = total + part
    return (parts * float(blocks) - (total * 2.0)[:, None]).flatten(1)


def _ends(x: Tensor, size: int, *, back: bool) -> Tensor:
    """Turn the first values and then the last ones, so many, or the other way round."""
    dim, factor = x.shape[1], float(np.float32(size**-0.5))
    starts = [0] if size == dim else [0, dim - size]
    for start in reversed(starts) if back else starts:
        some = _hadamard(x[:, start : start + size], size) * factor
        x = torch.cat((x[:, :start], some, x[:, start + size :]), 1)
    return x


def _splitmix64(seed: int, count: int) -> NDArray[np.uint64]:
    """Return the first words of the generator (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
