"""`minifloat convert`: rows from one kind of file into another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.progress import watched
from minifloat.cli.sources import Block, Source, Wanted, opened
from minifloat.cli.targets import PackedPart, PackedRows, Part, Rows, packed_writer, writer


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
    where they get new checksums, in Parquet and in Arrow, and become float32 elsewhere: their
    directions, not their lengths. Vectors are the array or tensor `embeddings`, or the column
    `vector`; ids are `id`.
    """
    write, write_packed = writer(out), packed_writer(out)
    rows = opened(Wanted(path=source, key=key, id=id, ids=ids))
    has_ids = id is not None or ids is not None
    if rows.packed is None or write_packed is None or decode:
        write(out, _floats(rows, has_ids=has_ids))
    else:
        write_packed(out, _packed(rows, has_ids=has_ids))
    return FINE


def _packed(rows: Source, *, has_ids: bool) -> PackedRows:
    """Return the packed rows of a source."""

    def parts() -> Iterator[PackedPart]:
        for block in watched(rows.blocks(), rows.rows, name="converting", size=len):
            assert not isinstance(block.x, torch.Tensor)
            yield PackedPart(block.x, _ids(block))

    return PackedRows(rows=rows.rows, has_ids=has_ids, parts=parts())


def _floats(rows: Source, *, has_ids: bool) -> Rows:
    """Return the rows of a source as NumPy has them."""
    dtype = torch.float32 if rows.dtype == torch.bfloat16 else rows.dtype

    def parts() -> Iterator[Part]:
        for block in watched(rows.blocks(), rows.rows, name="converting", size=len):
            yield Part(_values(block).to(dtype).numpy(), _ids(block))

    return Rows(
        rows=rows.rows,
        dim=rows.dim,
        dtype=torch.empty(0, dtype=dtype).numpy().dtype,
        has_ids=has_ids,
        parts=parts(),
    )


def _ids(block: Block) -> list[Any] | None:
    return None if block.ids is None else [*block.ids]


def _values(block: Block) -> torch.Tensor:
    if isinstance(block.x, torch.Tensor):
        return block.x
    values: torch.Tensor = block.x.dequantize()
    return values
