"""One file of an index, encoded from rows of sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from minifloat.distributed.meanwhile import done
from minifloat.distributed.naming import Names
from minifloat.distributed.planning import Piece, Plan
from minifloat.distributed.sources import Source, opened
from minifloat.files import storage
from minifloat.index.catalog.ids import INTEGER
from minifloat.index.rows import blocks
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.store import fields_of
from minifloat.scaling import refuse_row

# Values that are encoded at once, between which others hear of this rank.
_VALUES = 1 << 22


def written(folder: Path, kind: Kind, names: Names, plan: Plan, piece: Piece) -> Iterator[int]:
    """Have one file be there; yield rows as they are encoded."""
    first, end, name = piece
    whole: list[bool] = []
    yield from done(lambda: whole.append(_is_whole(folder / name, kind, end - first)))
    if whole[0]:
        yield end - first
        return
    fields = {
        field: torch.empty(end - first, *shape, dtype=dtype)
        for field, (dtype, shape) in kind.fields().items()
    }
    fields["rows"] = torch.arange(first, end)
    if names.kind == INTEGER:
        fields["ids"] = names.within(first, end, plan.spans(first, end)).tensor()
    at = 0
    for number, start, stop in plan.spans(first, end):
        for some in _packed(plan.sources[number], kind, start, stop):
            count = len(some["codes"])
            for field, of_each in some.items():
                fields[field][at : at + count] = of_each
            at += count
            yield count
    yield from done(lambda: blocks.write_file(folder, kind, fields, name))


def _packed(planned: Source, kind: Kind, first: int, end: int) -> Iterator[dict[str, Tensor]]:
    """Yield what is kept of rows of a source, some at a time."""
    path, tensor = planned.file.path, planned.tensor
    source, read = opened(path if tensor is None else (path, tensor))
    if source != planned:
        raise ValueError(f"{planned.name} has changed since rank 0 looked at it: build anew")
    step = max(1, _VALUES // source.dim)
    for at in range(first, end, step):
        x = read(at, min(end, at + step))
        try:
            vectors = kind.packed(x)
        except ValueError:
            if isinstance(x, Tensor) and not x.isfinite().all():
                refuse_row(source.name, at + int((~x.isfinite().all(1)).nonzero()[0]))
            raise
        yield {field: getattr(vectors, field) for field in kind.fields()}


def _is_whole(path: Path, kind: Kind, rows: int) -> bool:
    """Return whether a file is there as it was written."""
    try:
        storage.verify(path)
        fields_of(path, kind, rows)
    except (ValueError, FileNotFoundError):
        return False
    return True
