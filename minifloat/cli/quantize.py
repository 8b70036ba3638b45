"""`minifloat quantize`: float rows become a file of packed vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.errors import InputError
from minifloat.cli.gathering import Gathered
from minifloat.cli.progress import watched
from minifloat.cli.sampling import NONE, frame_of
from minifloat.cli.sources import Block, Source, Wanted, as_line, opened, rows_named
from minifloat.cli.writing import text
from minifloat.formats import as_format
from minifloat.frames import Frame
from minifloat.vectors import PackedVectors
from minifloat.vectors import quantize as quantized


@dataclass(frozen=True, kw_only=True)
class Storing:
    """How rows are stored; `frame` is fit, none or a file."""

    format: str
    frame: str = NONE
    errors: bool = False
    scale: str | None = None
    estimator: str | None = None
    rounding: str = "nearest"

    def fitted(self, source: Source) -> Frame | None:
        """Return the frame of the rows of a source."""
        as_format(self.format)
        return frame_of(self.frame, source, feedback=self.rounding == "feedback")

    def how(self) -> dict[str, Any]:
        """Return what else `quantize` is told."""
        told: dict[str, Any] = {"scale": self.scale, "estimator": self.estimator}
        return told | {"rounding": self.rounding, "errors": self.errors}

    def packed(self, block: Block, source: Source, frame: Frame | None) -> PackedVectors:
        """Return a block of rows packed; ValueError names a row that is not finite."""
        x = block.x
        if not isinstance(x, torch.Tensor):
            raise InputError(
                f"{source.name} holds packed vectors; minifloat convert makes floats of them"
            )
        with rows_named(block, source.name):
            return quantized(x, self.format, frame=frame, **self.how())


def packed_blocks(source: Source, storing: Storing) -> Iterator[tuple[Block, PackedVectors]]:
    """Yield blocks of rows and what they become, behind a bar."""
    if source.packed is not None:
        raise InputError(
            f"{source.name} holds packed vectors; minifloat convert makes floats of them"
        )
    frame = storing.fitted(source)
    for block in watched(source.blocks(), source.rows, name="quantizing", size=len):
        yield block, storing.packed(block, source, frame)


def quantize(
    source: on.In,
    out: on.PackedOut,
    format: on.FormatName,
    frame: on.FrameOf = NONE,
    errors: on.Errors = False,
    scale: on.Scale = None,
    estimator: on.Estimator = None,
    rounding: on.Rounding = "nearest",
    key: on.Key = None,
    id: on.Id = None,
    ids_out: on.IdsOut = None,
) -> int:
    """Pack float rows into a file of 4, 6 or 8 bits a value.

    Rows are read block by block: memory holds the packed rows alone. The file has checksums, and
    takes the place of OUT once it is whole.
    """
    if not out.endswith(".safetensors"):
        raise InputError(f"OUT must end in .safetensors; got {out!r}")
    storing = Storing(
        format=format,
        frame=frame,
        errors=errors,
        scale=scale,
        estimator=estimator,
        rounding=rounding,
    )
    if (id is None) != (ids_out is None):
        raise InputError("--id and --ids-out go together: a packed file has no place for ids")
    rows = opened(Wanted(path=source, key=key, id=id))
    gathered = Gathered(rows.rows)
    with ExitStack() as stack:
        lines = None if ids_out is None else stack.enter_context(text(ids_out))
        for block, part in packed_blocks(rows, storing):
            gathered.put(part)
            if lines is not None:
                lines.writelines(map(as_line, block.ids or ()))
        gathered.rows().save(out)
    return FINE
