"""One file of an index, encoded from rows of sources."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from minifloat.distributed.building.meanwhile import done
from minifloat.distributed.building.naming import Names
from minifloat.distributed.building.planning import Piece, Plan
from minifloat.distributed.building.sources import Reader, Rows, opened
from minifloat.files import storage
from minifloat.index.catalog.ids import INTEGER
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.store import fields_of
from minifloat.scaling import refuse_row
from minifloat.vectors import PackedVectors

# Values that are encoded at once, between which others hear of this rank.
_VALUES = 1 << 22


class Encoder:
    """Files of rows, made of the sources of a plan, of which the last that was read stays open."""

    def __init__(self, folder: Path, kind: Kind, names: Names, plan: Plan) -> None:
        self._folder, self._kind, self._names, self._plan = folder, kind, names, plan
        self._last: tuple[int, Reader] | None = None
        self._has_warned = False

    def written(self, piece: Piece) -> Iterator[int]:
        """Have one file be there; yield rows as they are encoded."""
        first, end, name = piece
        whole: list[bool] = []
        path = self._folder / name
        yield from done(lambda: whole.append(_is_whole(path, self._kind, end - first)))
        if whole[0]:
            yield end - first
            return
        fields = {
            field: torch.empty(end - first, *shape, dtype=dtype)
            for field, (dtype, shape) in self._kind.fields().items()
        }
        fields["rows"] = torch.arange(first, end)
        if self._names.kind == INTEGER:
            ids = self._names.within(first, end, self._plan.spans(first, end))
            fields["ids"] = ids.tensor()
        at = 0
        for span in self._plan.spans(first, end):
            for some in self._packed(*span):
                count = len(some["codes"])
                for field, of_each in some.items():
                    fields[field][at : at + count] = of_each
                at += count
                yield count
        yield from done(lambda: blocks.write_file(self._folder, self._kind, fields, name))

    def _packed(self, number: int, first: int, end: int) -> Iterator[dict[str, Tensor]]:
        """Yield what is kept of rows of a source, some at a time."""
        source, read = self._plan.sources[number], self._reader(number)
        step = max(1, _VALUES // source.dim)
        for at in range(first, end, step):
            x = read(at, min(end, at + step))
            try:
                vectors = self._quantized(x)
            except ValueError:
                if isinstance(x, Tensor) and not x.isfinite().all():
                    refuse_row(source.name, at + int((~x.isfinite().all(1)).nonzero()[0]))
                raise
            yield {field: getattr(vectors, field) for field in self._kind.fields()}

    def _quantized(self, x: Rows) -> PackedVectors:
        """Return rows as the index keeps them; what there is to warn of is said once."""
        with warnings.catch_warnings(record=True) as met:
            warnings.simplefilter("always")
            vectors = self._kind.packed(x)
        if met and not self._has_warned:
            self._has_warned = True
            warnings.warn(met[0].message, stacklevel=2)
        return vectors

    def _reader(self, number: int) -> Reader:
        """Return what reads a source; ValueError where it is not as it was planned."""
        if self._last is None or self._last[0] != number:
            planned = self._plan.sources[number]
            path, tensor = planned.file.path, planned.tensor
            source, read = opened(path if tensor is None else (path, tensor))
            if source != planned:
                raise ValueError(f"{planned.name} has changed since the build began: build anew")
            self._last = number, read
        return self._last[1]


def _is_whole(path: Path, kind: Kind, rows: int) -> bool:
    """Return whether a file is there as it was written."""
    try:
        storage.verify(path)
        fields_of(path, kind, rows)
    except (ValueError, FileNotFoundError):
        return False
    return True
