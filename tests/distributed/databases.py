"""Databases that ranks share: files and indexes of one's own random rows, with their float rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from minifloat import Frame, Index, PackedVectors

ROWS, DIM = 3001, 48

# Of several files, one has no rows and another one.
CUTS = (0, 700, 700, 701, 2500, ROWS)


def rows(count: int = ROWS, seed: int = 0) -> Tensor:
    """Return rows with an offset, of which some are alike, so that scores tie."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.randn(count, DIM, generator=generator) + 0.5
    found[1::5] = found[0::5][: len(found[1::5])]
    return found


def write_files(folder: Path, format: str, *, framed: bool = False) -> PackedVectors:
    """Write the rows into one file, into several, and as float rows; return them packed."""
    x = rows()
    frame = Frame.fit(x, axes=2) if framed else None
    packed = mf.quantize(x, format, frame=frame, errors=True)
    packed.save(folder / "one.safetensors")
    (folder / "many").mkdir()
    for number, (first, end) in enumerate(pairwise(CUTS)):
        packed[first:end].save(folder / "many" / f"{number}.safetensors")
    np.save(folder / "rows.npy", x.numpy())
    return packed


def write_index(path: Path, ids: list[object], *, commits: int = 2) -> None:
    """Write the rows into an index, some of which are removed and some added later."""
    x, half = rows(), 2 * ROWS // 3
    with Index.create(path, DIM, "e2m1", columns={"day": "integer"}, errors=True) as index:
        index.add(ids[:half], x[:half], day=[i % 7 for i in range(half)])
        index.commit()
        index.remove(ids[10 : half // 2 : 3])
        index.commit()
        index.add(ids[half:], x[half:], day=3)
