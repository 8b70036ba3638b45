"""The float rows that packed ones were made of, wherever they are: cosines of some of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, get_num_threads

from minifloat import _C
from minifloat.arrays import as_rows
from minifloat.backends.addresses import SOURCE, value_rows
from minifloat.ops.checks import SOURCES, name_of
from minifloat.scaling import refuse_row
from minifloat.vectors import PackedVectors

# Rows of a slice of a file that follow one another are read at once, and those so near.
_APART = 16


class Renumbered(NamedTuple):
    """Originals of which row numbers[i] is that of row i of a database: int64, one for each."""

    rows: Any
    numbers: Tensor


class Originals:
    """Rows (rows, dim) of float16 to float64 in main memory, a file that is mapped, or a GPU.

    Of a slice of a safetensors file, which is no memory, rows are read one run after the other.
    """

    def __init__(self, rows: Any, database: PackedVectors) -> None:
        """Take rows; TypeError or ValueError where the database was not made of any such."""
        self._numbers = None
        if isinstance(rows, Renumbered):
            rows, self._numbers = rows
        self._slice = rows if hasattr(rows, "get_shape") else None
        self._rows = as_rows("originals", rows if self._slice is None else rows[0:0]).detach()
        shape = self._rows.shape if self._slice is None else tuple(rows.get_shape())
        if self._numbers is not None:
            _check_numbers(self._numbers, tuple(shape), database)
        elif tuple(shape) != tuple(database.shape):
            raise ValueError(
                f"originals must have shape {tuple(database.shape)}, as the database that was made "
                f"of them; got {tuple(shape)}"
            )
        if self._rows.dtype not in SOURCES:
            allowed = ", ".join(map(name_of, SOURCES))
            raise TypeError(f"originals must be one of {allowed}; got {name_of(self._rows.dtype)}")
        self.bytes_read = 0

    def cosines(self, queries: Tensor, query: Tensor, row: Tensor) -> Tensor:
        """Return cosines of pairs, float64 (pairs,): of queries, float64 (n, dim), and of rows.

        Both by their numbers, int64 (pairs,). ValueError for a row that is not finite.
        """
        if self._numbers is not None:
            row = self._numbers[row]
        order = row.argsort(stable=True)
        different, place = row[order].unique_consecutive(return_inverse=True)
        self.bytes_read += different.numel() * self._rows[:1].shape[1] * self._rows.element_size()
        rows = self._rows
        if self._slice is None and rows.is_cpu and rows.stride(1) == 1:
            place = row[order]
        elif self._slice is None:
            rows = rows[different.to(rows.device)].cpu().contiguous()
        else:
            rows = self._read(different)
        pairs = torch.stack([query[order], place], 1)
        found = torch.empty(len(pairs), dtype=torch.float64)
        wrong = _C.cosines(
            value_rows(queries),
            SOURCE[rows.dtype],
            value_rows(rows),
            pairs.data_ptr(),
            len(pairs),
            found.data_ptr(),
            get_num_threads(),
        )
        if wrong >= 0:
            refuse_row("originals", wrong if rows is self._rows else int(different[wrong]))
        return torch.empty_like(found).index_copy_(0, order, found)

    def _read(self, numbers: Tensor) -> Tensor:
        """Return rows of a file's slice, given their numbers, which ascend."""
        assert self._slice is not None
        out = self._rows.new_empty(len(numbers), self._rows.shape[1])
        ends = (numbers.diff() > _APART).nonzero().squeeze(1) + 1
        for of_run, to in zip(numbers.tensor_split(ends), out.tensor_split(ends), strict=True):
            if len(of_run):
                first, end = int(of_run[0]), int(of_run[-1]) + 1
                run = as_rows("originals", self._slice[first:end])
                to.copy_(run[of_run - first])
        return out


def _check_numbers(numbers: Tensor, shape: tuple[int, ...], database: PackedVectors) -> None:
    """Raise ValueError where originals of a shape have no row for one of some numbers."""
    if len(shape) != 2 or shape[1] != database.dim:
        raise ValueError(
            f"originals must be rows (rows, {database.dim}), as those of the database; got {shape}"
        )
    wrong = ((numbers < 0) | (numbers >= shape[0])).nonzero()
    if len(wrong):
        raise ValueError(
            f"originals must have a row for each number, of {shape[0]} that they have; got "
            f"{int(numbers[int(wrong[0])])}"
        )
