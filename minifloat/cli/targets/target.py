"""Float rows as they go into any file, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minifloat.vectors import PackedVectors

# What vectors and ids are called in files that name them.
VECTORS, IDS = "embeddings", "id"


class Part(NamedTuple):
    """Some rows, and their ids if there are any."""

    x: NDArray[Any]
    ids: list[Any] | None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """So many float rows of a dtype, and their blocks in turn."""

    rows: int
    dim: int
    dtype: np.dtype[Any]
    has_ids: bool
    parts: Iterator[Part]


class PackedPart(NamedTuple):
    """Some packed rows, and their ids if there are any."""

    x: PackedVectors
    ids: list[Any] | None


@dataclass(frozen=True, kw_only=True)
class PackedRows:
    """So many packed rows of one kind, and their blocks in turn."""

    rows: int
    has_ids: bool
    parts: Iterator[PackedPart]


Write = Callable[[str, Rows], None]
WritePacked = Callable[[str, PackedRows], None]
