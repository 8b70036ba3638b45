"""Rows in safetensors files, one file's after the other's."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minifloat.files.headers import opened
from minifloat.files.storage import verify_some
from minifloat.index.catalog.errors import DamagedError
from minifloat.vectors import PackedVectors


def plan(paths: list[Path]) -> dict[str, Any]:
    """Return what all ranks open: each file's path, rows, and a sum of what its header says."""
    files = []
    for path in paths:
        first = PackedVectors.load(paths[0])[:0]
        own = PackedVectors.load(path)[:0]
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
        self._files = plan["files"]
        self._first, self._end = first, end
        self._parts: list[PackedVectors] = []

    def bytes(self) -> int:
        """Return how many bytes the rows have."""
        width = PackedVectors.load(self._files[0][0])[:1]
        return (self._end - self._first) * (width.nbytes // max(1, len(width)))

    def steps(self, *, verify: bool) -> Iterator[int]:
        """Read rows, and yield the bytes that were read; DamagedError for others than were said."""
        at = 0
        for path, rows, said in self._files:
            begin, end = max(self._first, at) - at, min(self._end, at + rows) - at
            at += rows
            if begin >= end:
                continue
            if _sum_of(path) != said:
                raise DamagedError(f"{path} is not the file that rank 0 has opened")
            try:
                if verify:
                    yield from verify_some(path, begin, end)
                self._parts.append(PackedVectors.load(path)[begin:end])
            except ValueError as error:
                raise DamagedError(str(error)) from error

    def none(self) -> PackedVectors:
        """Return no rows, of the same kind."""
        return PackedVectors.load(self._files[0][0])[:0]

    def vectors(self) -> PackedVectors:
        """Return the rows: a mapped file where they are in one, else a copy."""
        if not self._parts:
            return self.none()
        return self._parts[0] if len(self._parts) == 1 else PackedVectors.cat(self._parts)


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
