"""Rows of embeddings in a minifloat format, dense, with what scoring needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from minifloat.arrays import as_made
from minifloat.files import storage
from minifloat.files.stored import Stored
from minifloat.formats import Format, FormatLike, as_format
from minifloat.frames import Frame
from minifloat.vectors import copying
from minifloat.vectors.comparing import same
from minifloat.vectors.decoding import decoded
from minifloat.vectors.joining import refuse_unlike
from minifloat.vectors.picking import picked
from minifloat.vectors.pickled import checked
from minifloat.vectors.row_facts import RowFacts, described, fields_of, stored_of
from minifloat.vectors.told import Told

# The fields that hold something of each row.
_OF_EACH = ("codes", "reciprocal_norms", "coordinates", "errors")


@dataclass(frozen=True, eq=False, repr=False)
class PackedVectors:
    """Rows of embeddings as dense codes, with what scoring needs beside them. Made by `quantize`.

    codes: (rows, row_bytes) uint8.
    reciprocal_norms: (rows,) float32, by which products of codes are multiplied. Without a frame
    and with estimator "norm" they are those of the decoded rows: 0 for a zero row, NaN for one that
    holds infinity or NaN.
    from_numpy: whether the rows were made of what NumPy reads, not of a tensor. On the CPU,
    `dequantize`, `scores` and `search` then return arrays. Selected rows, copies, pickles and `cat`
    keep it; a file does not.
    estimator: "norm" or "unbiased". frame: that of the rows, or None. See `quantize`.
    coordinates: (rows, axes) float32, of rows at length 1 along the frame's axes, or None. The
    codes are then of the rest of each row, turned.
    errors: (rows,) uint8, or None. An error e says that rounding turned the row, or its rest in a
    frame, by at most 90 degrees times (e / 255)^2; 255 says nothing.

    Two are equal if format, dim, frame and all tensors are, whatever the device. `torch.save` and
    pickle keep only the rows that are shown; `torch.load` takes them with `weights_only`.
    """

    # By which pickles find it, wherever in the room it is.
    __module__ = "minifloat.vectors"

    codes: Tensor
    reciprocal_norms: Tensor
    format: Format
    dim: int
    from_numpy: bool = field(default=False, kw_only=True)
    estimator: str = field(default="norm", kw_only=True)
    frame: Frame | None = field(default=None, kw_only=True)
    coordinates: Tensor | None = field(default=None, kw_only=True)
    errors: Tensor | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.codes.shape[0]

    def __getitem__(self, rows: int | slice | Tensor | ArrayLike) -> PackedVectors:
        """Return some of the rows: by a slice, an index, or indices or a boolean mask.

        They are those that NumPy gives; one index keeps the dimension. A slice is a view, if its
        step is positive.
        """
        chosen = picked(rows, len(self))
        if isinstance(chosen, slice):
            return self._with(lambda of_each: of_each[chosen])
        return self._with(lambda of_each: copying.picked(of_each, chosen))

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same rows; NaN norms are equal."""
        if not isinstance(other, PackedVectors):
            return NotImplemented
        alike = (self.format, self.shape, self.frame) == (other.format, other.shape, other.frame)
        return alike and same(self._of_each, other.to(self.device)._of_each)

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
        return vars(self) | {name: copying.alone(of) for name, of in self._of_each.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle; ValueError if they are not those of rows.

        `torch.load` gives whatever a file holds, under any name.
        """
        vars(self).update(checked(state, [one.name for one in fields(self)]))

    def __repr__(self) -> str:
        """Return the shape, the format, the size, the device and the frame."""
        return described(RowFacts.of(self._stored), len(self), self.nbytes, self.device)

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
        """Bytes of all that is kept of each row."""
        return sum(tensor.nbytes for tensor in self._of_each.values())

    @property
    def _of_each(self) -> dict[str, Tensor]:
        """What is kept of each row, by the names of fields."""
        return {name: of for name in _OF_EACH if (of := getattr(self, name)) is not None}

    def to(self, device: torch.device | str) -> PackedVectors:
        """Return the same rows on a device; torch.OutOfMemoryError where they do not fit."""
        with copying.fitting(self, device):
            if self.codes[:0].to(device).device == self.device:
                return self
            return self._with(lambda of_each: copying.copied(of_each, device))

    def pin_memory(self) -> PackedVectors:
        """Return the same rows in page-locked memory, from which a GPU copies while it works."""
        if all(tensor.is_pinned() for tensor in self._of_each.values()):
            return self
        return self._with(lambda of_each: copying.copied(of_each, "cpu", pin=True))

    def dequantize(self) -> Any:
        """Return the decoded rows: float32, (rows, dim), an array if made from one, else a tensor.

        Scaling is not undone: a row that "amax" multiplied keeps its direction, not its length.
        Rows in a frame are turned back, and about as long as 1.
        """
        return as_made(self.from_numpy, decoded(self._stored))

    @staticmethod
    def cat(parts: Sequence[PackedVectors]) -> PackedVectors:
        """Return the rows of all parts, one part after the other; `from_numpy` is the first's."""
        refuse_unlike(parts, PackedVectors)
        known = [part._of_each for part in parts]
        joined: dict[str, Any] = {
            name: copying.joined(one[name] for one in known) for name in known[0]
        }
        return replace(parts[0], **joined)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file (`docs/reference/formats.md`); replaces one in one step."""
        storage.save(path, self._stored)

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
        return PackedVectors(**fields_of(storage.load(path, mmap=mmap, verify=verify)))

    @staticmethod
    def verify(path: str | Path) -> bool:
        """Return True for a file whose every row is as it was saved; ValueError if one is not.

        The error names the first damaged rows. Return False for a file without checksums, which
        older versions wrote: each reciprocal norm then is that of its row's codes, and that is
        all that can be said.
        """
        return storage.verify(path)

    def to_arrow(self, *, storage: Literal["binary", "list"] = "binary") -> Any:
        """Return a `pyarrow.ExtensionArray` of the rows, whose type says what its bytes are.

        Rows are stored as fixed-size binary or, with storage "list", fixed-size lists of uint8;
        `docs/how-to/arrow.md` tells which tool keeps what. Needs `minifloat[arrow]`.
        """
        from minifloat.vectors import arrow

        return arrow.array_of(self.to("cpu")._stored, storage)

    @staticmethod
    def from_arrow(
        column: Any,
        *,
        format: FormatLike | None = None,
        dim: int | None = None,
        frame: Frame | None = None,
        estimator: str | None = None,
    ) -> PackedVectors:
        """Return the rows of a column that `to_arrow` made, wherever it has been; they are copied.

        Where the column has lost its type, format and dim say what its bytes are, with the frame if
        rows are in one, and the estimator if it is not what `quantize` takes by itself. Raises
        ValueError where these and the type disagree, and for a row that cannot be, naming it.
        """
        from minifloat.vectors import arrow

        told = Told(format, dim, frame, estimator)
        return PackedVectors(**fields_of(arrow.rows_of(column, told)))

    @property
    def kind(self) -> str:
        """What rows must have in common to be scored together or joined, in words."""
        return RowFacts.of(self._stored).kind

    @property
    def _stored(self) -> Stored:
        """The rows as files hold them."""
        return stored_of(self)

    def _with(self, change: Callable[[Tensor], Tensor]) -> PackedVectors:
        """Return what a function makes of all that is kept of each row."""
        changed: dict[str, Any] = {name: change(of) for name, of in self._of_each.items()}
        return replace(self, **changed)


torch.serialization.add_safe_globals([PackedVectors, as_format])
