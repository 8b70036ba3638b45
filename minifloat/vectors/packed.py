"""Rows of embeddings in a minifloat format, dense, with what scoring needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from minifloat.arrays import as_made, as_row_numbers
from minifloat.files import storage
from minifloat.files.mapping import refuse_changes
from minifloat.formats import Format, as_format
from minifloat.vectors import copying
from minifloat.vectors.pickled import check_fields

_ops = torch.ops.minifloat


@dataclass(frozen=True, eq=False, repr=False)
class PackedVectors:
    """Rows of codes, dense, and the reciprocal norms of the decoded rows. Made by `quantize`.

    codes: (rows, row_bytes) uint8. reciprocal_norms: (rows,) float32, 0 for a zero row and NaN
    for one that holds infinity or NaN. from_numpy: whether they were made from what NumPy reads,
    and not from a tensor: on the CPU, `dequantize`, and `scores` and `search` with these rows as
    queries, then return NumPy arrays. Rows of these rows, copies, pickles and what `cat` puts
    after them keep it; a saved file does not, so that loaded rows give tensors.

    Two are equal if format, dim, codes and reciprocal norms are, on whatever device; rows may be
    written to, so there is no hash. `torch.save` and pickle keep only rows that are shown, and
    `torch.load` takes them with `weights_only`.
    """

    # By which pickles find it, wherever in the room it is.
    __module__ = "minifloat.vectors"

    codes: Tensor
    reciprocal_norms: Tensor
    format: Format
    dim: int
    from_numpy: bool = field(default=False, kw_only=True)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.codes.shape[0]

    def __getitem__(self, rows: int | slice | Tensor | ArrayLike) -> PackedVectors:
        """Return some of the rows: by a slice, an index, or indices or a boolean mask.

        They are those that NumPy gives; one index keeps the dimension. A slice is a view, if its
        step is positive.
        """
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
            row = int(rows)
            if not -len(self) <= row < len(self):
                raise IndexError(f"row {row} is out of range for {len(self)} rows")
            rows = slice(row % len(self), row % len(self) + 1)
        elif isinstance(rows, slice):
            chosen = range(*rows.indices(len(self)))
            if chosen.step < 0:
                rows = chosen.start + chosen.step * torch.arange(len(chosen))
        if isinstance(rows, slice):
            codes, norms = self.codes[rows], self.reciprocal_norms[rows]
        else:
            index = as_row_numbers(rows, len(self))
            codes, norms = (copying.picked(t, index) for t in (self.codes, self.reciprocal_norms))
        return self._with(codes, norms)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same rows; NaN norms are equal."""
        if not isinstance(other, PackedVectors):
            return NotImplemented
        if (self.format, self.shape) != (other.format, other.shape):
            return False
        refuse_changes(self.codes, other.codes)
        other = other.to(self.device)
        a, b = self.reciprocal_norms, other.reciprocal_norms
        same = (a == b) | (a.isnan() & b.isnan())
        return torch.equal(self.codes, other.codes) and bool(same.all())

    def __contains__(self, row: object) -> NoReturn:
        """Raise TypeError, for near rows are looked for, not equal ones."""
        raise TypeError(
            "PackedVectors do not tell what is in them: search finds the nearest rows, and "
            "(vectors.dequantize() == row).all(1) those that decode to a row"
        )

    def __array__(self, dtype: object = None, copy: object = None) -> NoReturn:
        """Raise TypeError, for codes are no values."""
        raise TypeError("PackedVectors hold codes, not values: call dequantize() for float32 rows")

    def __copy__(self) -> PackedVectors:
        """Return the same rows in the same memory, as a slice of all does."""
        return self[:]

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, their tensors without what else lies in their memory.

        Those of a file share one memory, which `torch.save` refuses.
        """
        codes, norms = (
            t if t.untyped_storage().nbytes() == t.nbytes else copying.copied(t, t.device)
            for t in (self.codes, self.reciprocal_norms)
        )
        return {**vars(self), "codes": codes, "reciprocal_norms": norms}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle; ValueError if they are not those of rows.

        `torch.load` gives whatever a file holds, under any name.
        """
        # Older pickles lack the last.
        state = {"from_numpy": False, **state}
        names = [one.name for one in fields(self)]
        if sorted(state) != sorted(names):
            raise ValueError(
                f"PackedVectors have {', '.join(names)}; got {', '.join(map(str, state))}"
            )
        check_fields(*(state[name] for name in names))
        vars(self).update(state)

    def __repr__(self) -> str:
        """Return the shape, the format, the size and the device."""
        ratio = 4 * self.dim * len(self) / self.nbytes if len(self) else 1.0
        return (
            f"PackedVectors({len(self)} x {self.dim} {self.format}, {self.nbytes:,} bytes, "
            f"{ratio:.2f}x smaller than float32, {self.device})"
        )

    @property
    def shape(self) -> torch.Size:
        """Rows and dim, as of the rows that were packed."""
        return torch.Size((len(self), self.dim))

    @property
    def device(self) -> torch.device:
        """The device of the rows."""
        return self.codes.device

    @property
    def nbytes(self) -> int:
        """Bytes of codes and reciprocal norms."""
        return self.codes.nbytes + self.reciprocal_norms.nbytes

    def to(self, device: torch.device | str) -> PackedVectors:
        """Return the same rows on a device; torch.OutOfMemoryError where they do not fit."""
        try:
            if self.codes[:0].to(device).device == self.device:
                return self
            codes = copying.copied(self.codes, device)
            norms = copying.copied(self.reciprocal_norms, device)
        except torch.OutOfMemoryError as error:
            raise torch.OutOfMemoryError(
                f"{self} does not fit on {device}; search with queries there takes it from main "
                f"memory, block by block: {error}"
            ) from error
        return self._with(codes, norms)

    def pin_memory(self) -> PackedVectors:
        """Return the same rows in page-locked memory, from which a GPU copies while it works."""
        if self.codes.is_pinned() and self.reciprocal_norms.is_pinned():
            return self
        codes = copying.copied(self.codes, "cpu", pin=True)
        norms = copying.copied(self.reciprocal_norms, "cpu", pin=True)
        return self._with(codes, norms)

    def dequantize(self) -> Any:
        """Return the decoded rows: float32, (rows, dim), an array if made from one, else a tensor.

        Scaling is not undone: a row that "amax" multiplied keeps its direction, not its length.
        """
        refuse_changes(self.codes)
        codes = _ops.unpack(self.codes, self.format.name, self.dim)
        return as_made(self.from_numpy, _ops.decode(codes, self.format.name))

    @staticmethod
    def cat(parts: Sequence[PackedVectors]) -> PackedVectors:
        """Return the rows of all parts, one part after the other; `from_numpy` is the first's."""
        if not parts:
            raise ValueError("cat needs at least one PackedVectors; got none")
        for part in parts:
            if not isinstance(part, PackedVectors):
                raise TypeError(f"cat takes PackedVectors; got {type(part).__name__}")
        kinds = sorted({f"dim {part.dim} in {part.format}" for part in parts})
        if len(kinds) > 1:
            raise ValueError(f"cat needs one format and dim; got {', '.join(kinds)}")
        devices = sorted({str(part.device) for part in parts})
        if len(devices) > 1:
            raise ValueError(f"cat needs rows on one device; got {', '.join(devices)}")
        return parts[0]._with(
            copying.joined(part.codes for part in parts),
            copying.joined(part.reciprocal_norms for part in parts),
        )

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, which `docs/format.md` specifies; replaces one in one step."""
        storage.save(path, self.codes, self.reciprocal_norms, self.format, self.dim)

    @staticmethod
    def load(path: str | Path, *, mmap: bool = True, verify: bool = False) -> PackedVectors:
        """Return the rows of a file, memory-mapped: a page is read when it is first used.

        With mmap False they are read at once, into memory of their own. A mapped file must stay
        as it is: scores and searches of rows of one that was changed raise OSError, and one that
        is cut off meanwhile ends the process (SIGBUS). `save` puts a new file in its place, which
        is no change.

        With verify, the whole file is read and compared with its checksums, as by `verify`.
        What is made of the rows is tensors, whatever they were saved from.

        Raises ValueError for a file that is not of this kind, or has reciprocal norms that no
        rows have, naming what is wrong.
        """
        return PackedVectors(*storage.load(path, mmap=mmap, verify=verify))

    @staticmethod
    def verify(path: str | Path) -> bool:
        """Return True for a file whose every row is as it was saved; ValueError if one is not.

        The error names the first damaged rows. Return False for a file without checksums, which
        older versions wrote: each reciprocal norm then is that of its row's codes, and that is
        all that can be said.
        """
        return storage.verify(path)

    def _with(self, codes: Tensor, reciprocal_norms: Tensor) -> PackedVectors:
        """Return other rows of the same kind."""
        return PackedVectors(
            codes, reciprocal_norms, self.format, self.dim, from_numpy=self.from_numpy
        )


torch.serialization.add_safe_globals([PackedVectors, as_format])
