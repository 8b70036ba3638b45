"""`minifloat convert`: rows from one kind of file into another."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.progress import watched
from minifloat.cli.sources import Block, Source, Wanted, opened
from minifloat.cli.targets import Rows, writer
from minifloat.cli.targets.target import Part


def convert(
    source: on.In,
    out: on.Converted,
    decode: on.Decode = False,
    key: on.Key = None,
    id: on.Id = None,
    ids: on.Ids = None,
) -> int:
    """Bring rows from one kind of file into another.

    Floats keep their type, but bfloat16 becomes float32. Packed rows stay packed in .safetensors,
    where they get new checksums, and become float32 elsewhere: their directions, not their lengths.
    Vectors are the array or tensor `embeddings`, or the column `vector`; ids are `id`.
    """
    write = writer(out)
    rows = opened(Wanted(path=source, key=key, id=id, ids=ids))
    if rows.packed is not None and out.endswith(".safetensors") and not decode:
        rows.packed.save(out)
        return FINE
    write(out, _floats(rows, has_ids=id is not None or ids is not None))
    return FINE


def _floats(rows: Source, *, has_ids: bool) -> Rows:
    """Return the rows of a source as NumPy has them."""
    dtype = torch.float32 if rows.dtype == torch.bfloat16 else rows.dtype

    def parts() -> Iterator[Part]:
        for block in watched(rows.blocks(), rows.rows, name="converting", size=len):
            ids = None if block.ids is None else [*block.ids]
            yield Part(_values(block).to(dtype).numpy(), ids)

    return Rows(
        rows=rows.rows,
        dim=rows.dim,
        dtype=torch.empty(0, dtype=dtype).numpy().dtype,
        has_ids=has_ids,
        parts=parts(),
    )


def _values(block: Block) -> torch.Tensor:
    if isinstance(block.x, torch.Tensor):
        return block.x
    values: torch.Tensor = block.x.dequantize()
    return values
