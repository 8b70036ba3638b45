"""Checksums of rows in files: a CRC-32 of each block of rows, for each tensor."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from minifloat.formats import Format

_KEYS = {
    "codes": "crc32_codes",
    "reciprocal_norms": "crc32_reciprocal_norms",
    "coordinates": "crc32_coordinates",
    "errors": "crc32_errors",
    "rows": "crc32_rows",
    "ids": "crc32_ids",
}
_BLOCK_KEY = "crc32_block_rows"
_DIGITS = 8

# What a call for a block takes is then nothing beside its sum, and headers stay small.
_BLOCK_BYTES = 1 << 18
_MOST_BLOCKS = 1 << 12

# The first row and the one after the last.
Span = tuple[int, int]


@dataclass(frozen=True)
class Checksums:
    """The sums of each tensor's blocks, and how many rows a block has."""

    block_rows: int
    of: dict[str, list[int]]

    def metadata(self) -> dict[str, str]:
        """Return the keys and texts that hold them in a file."""
        texts = {
            _KEYS[name]: "".join(f"{crc:08x}" for crc in sums) for name, sums in self.of.items()
        }
        return {_BLOCK_KEY: str(self.block_rows), **texts}


def block_rows(rows: int, row_bytes: int) -> int:
    """Return how many rows the blocks of a new file have."""
    return max(_BLOCK_BYTES // row_bytes, -(-rows // _MOST_BLOCKS), 1)


def blocks(rows: int, block_rows: int) -> list[Span]:
    """Return the rows of each block; no rows are one, so that there is a sum of their facts."""
    starts = range(0, max(rows, 1), block_rows)
    return [(first, min(first + block_rows, rows)) for first in starts]


def of_each(tensors: Iterable[str]) -> list[str]:
    """Return which tensors have something of each row, by their names, in the order of sums."""
    return [name for name in _KEYS if name in tensors]


def seed(format: Format, dim: int, rows: int, estimator: str, frame: str) -> int:
    """Return where sums start: rows of another format, dim, number or frame have others."""
    plain = not frame and estimator == "norm"
    scaled = "" if plain else f" {estimator} {frame}"
    return zlib.crc32(f"{format.name} {dim} {rows}{scaled}".encode())


def as_bytes(rows: Tensor) -> memoryview:
    """Return the bytes of rows that lie in main memory without gaps, (rows, bytes of one)."""
    width = rows[:1].nbytes or 1
    return rows.reshape(-1).view(torch.uint8).reshape(-1, width).numpy().data


def read(metadata: Mapping[str, str], rows: int, tensors: list[str]) -> Checksums | None:
    """Return the checksums of a file of so many rows, of some tensors; None if it has none.

    Raises ValueError, in words that follow the file's name, for what are no checksums of them.
    """
    keys = [_BLOCK_KEY, *[_KEYS[name] for name in tensors]]
    missing = [key for key in keys if key not in metadata]
    if len(missing) == len(keys):
        return None
    if missing:
        raise ValueError(f"has checksums, but lacks {', '.join(missing)}")
    # More digits than any number of rows has are none.
    if not re.fullmatch(r"[1-9][0-9]{0,18}", metadata[_BLOCK_KEY]):
        raise ValueError(f"has {_BLOCK_KEY} {metadata[_BLOCK_KEY]!r}; it must be a number above 0")
    block = int(metadata[_BLOCK_KEY])
    digits = _DIGITS * max(1, -(-rows // block))
    of = {}
    for name in tensors:
        key, text = _KEYS[name], metadata[_KEYS[name]]
        if len(text) != digits or not re.fullmatch(r"[0-9a-f]*", text):
            raise ValueError(
                f"has {key} {text[: 2 * _DIGITS]!r} of {len(text)} characters; for {rows} rows in "
                f"blocks of {block} it must be {digits} hexadecimal digits"
            )
        of[name] = [int(text[at : at + _DIGITS], 16) for at in range(0, digits, _DIGITS)]
    return Checksums(block, of)
