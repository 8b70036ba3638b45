"""Rows in safetensors files, one file's after the other's."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minifloat.arrays import on_huge_pages
from minifloat.files.headers import opened
from minifloat.files.storage import load_some, verify_some
from minifloat.files.stored import Stored
from minifloat.index.catalog.errors import DamagedError
from minifloat.vectors import PackedVectors
from minifloat.vectors.row_facts import fields_of

# Bytes that are copied in one step.
_COPIED = 1 << 26


def plan(paths: list[Path]) -> dict[str, Any]:
    """Return what all ranks open: each file's path, rows, and a sum of what its header says."""
    files = []
    for path in paths:
        first, own = (PackedVectors(**fields_of(load_some(one, 0, 0))) for one in (paths[0], path))
        if own.kind != first.kind:
            raise ValueError(
                f"all files must have one format, dim and frame; {paths[0]} has {first.kind}, "
                f"and {path} {own.kind}"
            )
        if (own.errors is None) != (first.errors is None):
            raise ValueError(f"{paths[0]} and {path} must both keep errors, or neither")
        with opened(path) as (_, layout):
            files.append([str(path), layout.rows, _sum_of(path)])
    return {"files": files, "rows": sum(rows for _, rows, _ in files)}


class Reading:
    """Rows of files from one to another."""

    def __init__(self, plan: dict[str, Any], first: int, end: int) -> None:
        self._none = load_some(plan["files"][0][0], 0, 0)
        self._pieces, at = [], 0
        for path, rows, said in plan["files"]:
            begin, stop = max(first, at) - at, min(end, at + rows) - at
            at += rows
            if begin < stop:
                self._pieces.append((path, said, begin, stop))
        self._rows = end - first
        self._found: Stored | None = None

    def bytes(self) -> int:
        """Return how many bytes the rows have."""
        each = self._none.of_each().values()
        width: int = sum(of.new_empty(1, *of.shape[1:]).nbytes for of in each)
        return self._rows * width

    def steps(self, *, verify: bool) -> Iterator[int]:
        """Read rows, and yield the bytes that were read; DamagedError for others than were said."""
        at = 0
        for path, said, begin, end in self._pieces:
            if _sum_of(path) != said:
                raise DamagedError(f"{path} is not the file that rank 0 has opened")
            try:
                if verify:
                    yield from verify_some(path, begin, end)
                stored = load_some(path, begin, end)
            except ValueError as error:
                raise DamagedError(str(error)) from error
            if len(self._pieces) == 1:
                self._found = stored
                return
            for read in self._copy(stored, at):
                yield 0 if verify else read
            at += end - begin

    def none(self) -> PackedVectors:
        """Return no rows, of the same kind."""
        return PackedVectors(**fields_of(self._none))

    def vectors(self) -> PackedVectors:
        """Return the rows: a mapped file where they are in one, else a copy."""
        return self.none() if self._found is None else PackedVectors(**fields_of(self._found))

    def _copy(self, stored: Stored, at: int) -> Iterator[int]:
        """Copy rows of a file into memory of their own, from a place on, step by step."""
        some = stored.of_each()
        if self._found is None:
            whole: dict[str, Any] = {
                name: on_huge_pages(of.new_empty(self._rows, *of.shape[1:]))
                for name, of in some.items()
            }
            self._found = stored._replace(**whole)
        to, width = self._found.of_each(), sum(of[:1].nbytes for of in some.values())
        step = max(1, _COPIED // width)
        for first in range(0, len(some["codes"]), step):
            rows = min(step, len(some["codes"]) - first)
            for name, of in some.items():
                to[name][at + first : at + first + rows] = of[first : first + rows]
            yield rows * width


def paths_of(uri: str | Path | list[Any] | tuple[Any, ...]) -> list[Path]:
    """Return files: one, all of a folder in the order of their names, or those of a list."""
    if isinstance(uri, (list, tuple)):
        paths = [Path(one) for one in uri]
    else:
        path = Path(uri)
        paths = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not paths:
        raise FileNotFoundError(
            f"{uri} must be an index, a safetensors file, a folder or list of such, or a data set "
            "of Lance; there is none"
        )
    return paths


def _sum_of(path: str | Path) -> int:
    """Return a sum of a file's header, which has the sums of all its rows."""
    with open(path, "rb") as file:
        length = file.read(8)
        return zlib.crc32(length + file.read(int.from_bytes(length, "little")))
