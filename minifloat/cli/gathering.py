"""Packed rows that come block by block, put into memory of their size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.vectors import PackedVectors

_OF_EACH = ("codes", "reciprocal_norms", "coordinates", "errors")


class Gathered:
    """So many rows, of which each block fills those that follow the block before."""

    def __init__(self, rows: int) -> None:
        self._rows, self._filled = rows, 0
        self._whole: PackedVectors | None = None

    def put(self, part: PackedVectors) -> None:
        """Take a block of rows; all are of one kind."""
        if self._whole is None:
            room: dict[str, Any] = {name: self._room(of) for name, of in _known(part).items()}
            self._whole = replace(part, **room)
        end = self._filled + len(part)
        there = _known(self._whole)
        for name, of_each in _known(part).items():
            there[name][self._filled : end] = of_each
        self._filled = end

    def rows(self) -> PackedVectors:
        """Return all rows, once they are there."""
        assert self._whole is not None
        assert self._filled == self._rows
        return self._whole

    def _room(self, of_each: Tensor) -> Tensor:
        try:
            room = torch.empty((self._rows, *of_each.shape[1:]), dtype=of_each.dtype)
        except RuntimeError as error:
            raise MemoryError(f"{self._rows} packed rows do not fit into memory") from error
        return on_huge_pages(room)


def bytes_per_row(rows: PackedVectors) -> int:
    """Return how many bytes are kept of each row, also where there is none."""
    return sum(
        math.prod(of_each.shape[1:]) * of_each.element_size() for of_each in _known(rows).values()
    )


def _known(part: PackedVectors) -> dict[str, Tensor]:
    """Return what is kept of each row, by name."""
    found = {name: getattr(part, name) for name in _OF_EACH}
    return {name: of_each for name, of_each in found.items() if of_each is not None}
