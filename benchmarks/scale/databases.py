"""Random rows in files, and what reading those takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

import minifloat as mf

_POOL, _BLOCK = 1 << 24, 1 << 16
# Bytes of one read.
_READ = 1 << 24


def made(path: Path, format: mf.Format, rows: int, dim: int) -> mf.PackedVectors:
    """Write random rows to a file, and return them mapped.

    Each block is a pool of random numbers from another place on: no two rows are alike, and few
    numbers have to be drawn.
    """
    chance = torch.Generator().manual_seed(0)
    pool = torch.randn(_POOL + _BLOCK * dim, generator=chance)
    parts = []
    for first in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - first)
        at = int(torch.randint(_POOL, (1,), generator=chance))
        parts.append(mf.quantize(pool[at : at + count * dim].view(count, dim), format))
    mf.PackedVectors.cat(parts).save(path)
    return mf.PackedVectors.load(path)


def dropped(path: Path) -> None:
    """Have the system forget the pages of a file, which nobody may have mapped."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def read_seconds(path: Path, first: int = 0, end: int | None = None) -> float:
    """Return the seconds in which bytes of a file are read one after the other, and nothing else.

    After `dropped` they come from the disk, or from what lies between the disk and this system.
    """
    end = path.stat().st_size if end is None else end
    memory = memoryview(bytearray(_READ))
    with path.open("rb", buffering=0) as file:
        begun = time.perf_counter()
        file.seek(first)
        while first < end:
            first += file.readinto(memory[: end - first]) or end
        return time.perf_counter() - begun
