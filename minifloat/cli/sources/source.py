"""Rows as they come from any file: block by block, with their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from minifloat.cli.errors import InputError
from minifloat.scaling import refuse_row
from minifloat.vectors import PackedVectors

# Values of a block: 16 MiB of float32.
_VALUES = 1 << 22

Ids = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is read of a file: the vectors by their name in it, and what stands beside them.

    key: the array, tensor or column of vectors, or None for the only one. id: the array or column
    of ids; ids: a text file with an id a line. columns: more columns, by name.
    """

    path: str
    key: str | None = None
    id: str | None = None
    ids: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Some rows, from `first` on: floats or packed ones, with an id and values of columns each."""

    first: int
    x: Tensor | PackedVectors
    ids: Ids | None = None
    columns: Mapping[str, Ids] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.x)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The rows of a file. `read` yields blocks of at most so many rows, at least one block.

    packed: of rows that are packed already, all or none of them, of their kind. originals: rows
    that may be read in any order. again: whether they can be read more than once.
    """

    name: str
    rows: int
    dim: int
    dtype: torch.dtype
    read: Callable[[int], Iterator[Block]]
    packed: PackedVectors | None = None
    originals: Any = None
    again: bool = True

    def blocks(self, most: int | None = None) -> Iterator[Block]:
        """Yield all rows in turn; ValueError where the file ends before them."""
        size = max(1, _VALUES // self.dim)
        size = size if most is None else min(size, most)
        # Blocks of one size: a last one of few rows would tell little of whether a frame is theirs.
        size = -(-self.rows // max(1, -(-self.rows // size))) or 1
        seen = 0
        for block in self.read(size):
            seen += len(block)
            yield block
        if seen != self.rows:
            raise InputError(f"{self.name} must hold {self.rows} rows; it ends after {seen}")

    def with_ids(self, ids: Callable[[], Iterator[str]], path: str) -> Source:
        """Return the same rows, each with the next of the ids that a file has."""

        def read(size: int) -> Iterator[Block]:
            given = ids()
            for block in self.read(size):
                some = list(islice(given, len(block)))
                if len(some) < len(block):
                    raise InputError(
                        f"{path} must hold an id for each of {self.rows} rows of {self.name}; "
                        f"got {block.first + len(some)}"
                    )
                yield replace(block, ids=some)
            if next(given, None) is not None:
                raise InputError(
                    f"{path} must hold an id for each of {self.rows} rows of {self.name}; "
                    "it has more"
                )

        return replace(self, read=read)


@contextmanager
def rows_named(block: Block, name: str) -> Iterator[None]:
    """A block that takes rows: a ValueError of one that is not finite tells its number of all."""
    try:
        yield
    except ValueError:
        x = block.x
        if isinstance(x, Tensor) and not x.isfinite().all():
            refuse_row(name, block.first + int((~x.isfinite().all(1)).nonzero()[0]))
        raise


def spans(rows: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the first row and the one after the last of each block; no rows are one block."""
    for first in range(0, max(rows, 1), size):
        yield first, min(first + size, rows)


def refuse_no_rows(name: str, shape: Sequence[int], dtype: object, *, floats: bool) -> None:
    """Raise InputError for an array that is no rows of floats."""
    if len(shape) != 2 or not floats or not shape[1]:
        raise InputError(
            f"{name} must be rows of float16, bfloat16, float32 or float64, (rows, dim); "
            f"got {dtype} of shape {tuple(shape)}"
        )


def chosen(path: str, key: str | None, candidates: Sequence[str], what: str) -> str:
    """Return the key, or the only candidate; InputError where there is none, or a choice."""
    if key is not None and key in candidates:
        return key
    if key is None and len(candidates) == 1:
        return candidates[0]
    named = ", ".join(candidates) or "none"
    got = "and --key says which" if key is None else f"got --key {key!r}"
    raise InputError(f"{path} has these {what} of vectors: {named}; {got}")


def refuse_names(wanted: Wanted, kind: str) -> None:
    """Raise InputError where ids or columns are asked for of a file that has no such names."""
    for name, option in ((wanted.id, "--id"), (wanted.columns[:1], "--column")):
        if name:
            raise InputError(
                f"{wanted.path} is {kind}, which names no columns; {option} is of .npz, "
                ".safetensors, Parquet and Arrow, and --ids FILE takes an id a line"
            )
