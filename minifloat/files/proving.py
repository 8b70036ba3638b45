"""Rows of files held against their checksums, or against their norms where there are none."""

from __future__ import annotations

import zlib
from pathlib import Path

from minifloat.files import checksums, norms
from minifloat.files.checksums import Span
from minifloat.files.headers import Layout
from minifloat.files.mapping import refuse_changes
from minifloat.files.stored import Stored
from minifloat.threads import in_threads


def prove(path: str | Path, stored: Stored, layout: Layout, some: Span | None = None) -> bool:
    """Raise ValueError for the first rows that are damaged; return whether there are checksums.

    some: rows that are looked at, of whole blocks; all of them where nothing is said.
    """
    codes, sums, tensors = stored.codes, layout.sums, stored.tensors()
    # Only these norms are those of the codes.
    plain = stored.frame is None and stored.estimator == "norm"
    if sums is None:
        begin, end = some or (0, layout.rows)
        at = _first_wrong(stored, slice(begin, end)) if plain else None
        if at is not None:
            row = begin + at
            raise ValueError(
                f"{path} is damaged: row {row} has reciprocal norm "
                f"{float(stored.reciprocal_norms[row]):g}, which is not that of its codes"
            )
        refuse_changes(codes)
        return False
    blocks = checksums.blocks(layout.rows, sums.block_rows)
    number = 0
    if some is not None:
        number = some[0] // sums.block_rows
        blocks = blocks[number : -(-some[1] // sums.block_rows)]
    parts = {name: checksums.as_bytes(tensors[name]) for name in checksums.of_each(tensors)}

    def sum_of(rows: Span) -> dict[str, int]:
        return {name: zlib.crc32(part[slice(*rows)], layout.seed) for name, part in parts.items()}

    found = in_threads(sum_of, blocks)
    refuse_changes(codes)
    damaged = [
        (rows, [name for name in parts if sums_of_block[name] != sums.of[name][index]])
        for index, (rows, sums_of_block) in enumerate(zip(blocks, found, strict=True), number)
    ]
    damaged = [(rows, names) for rows, names in damaged if names]
    if damaged:
        (first, end), names = damaged[0]
        at = _first_wrong(stored, slice(first, end)) if plain else None
        which = (
            "no norm tells which"
            if at is None
            else f"the first whose norm is not that of its codes is row {first + at}"
        )
        rows = f"rows {first} to {end - 1}" if end > first + 1 else f"row {first}"
        raise ValueError(
            f"{path} is damaged: the {' and '.join(names)} of {rows} have "
            f"another CRC-32 than the file says, {which}; {len(damaged)} of {len(blocks)} blocks "
            "of rows are damaged"
        )
    return True


def _first_wrong(stored: Stored, rows: slice) -> int | None:
    """Return the first of some rows whose reciprocal norm is not that of its codes."""
    codes, given = stored.codes[rows], stored.reciprocal_norms[rows]
    return norms.first_wrong(codes, given, stored.format, stored.dim)
