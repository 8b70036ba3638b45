"""Rows in data sets of Lance, on a disk or in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minifloat.vectors import PackedVectors, arrow
from minifloat.vectors.row_facts import fields_of

# Bytes that are read in one step.
_READ = 1 << 26


def plan(uri: str, version: int | str | None, options: Any) -> dict[str, Any]:
    """Return what all ranks open: a data set in one version."""
    from minifloat.vectors.lance_datasets import opened, type_in

    dataset = opened(uri, version, options)
    type_in(dataset, uri)
    return {"uri": uri, "version": int(dataset.version), "rows": dataset.count_rows()}


class Reading:
    """Rows of a data set from one to another."""

    def __init__(self, plan: dict[str, Any], first: int, end: int, options: Any) -> None:
        from minifloat.vectors.lance_datasets import opened, type_in

        self._dataset = opened(plan["uri"], plan["version"], options)
        self._facts = arrow.facts_of(type_in(self._dataset, plan["uri"]))
        self._first, self._end = first, end
        self._fields = self._facts.empty(end - first)

    def bytes(self) -> int:
        """Return how many bytes the rows have."""
        return (self._end - self._first) * self._facts.row_bytes

    def steps(self, *, verify: bool) -> Iterator[int]:
        """Read rows, and yield the bytes that were read; OSError for what cannot be read."""
        from minifloat.vectors.lance import scan

        step = max(1, _READ // self._facts.row_bytes)
        for first in range(self._first, self._end, step):
            end = min(first + step, self._end)
            try:
                scan(self._dataset, self._facts, self._fields, first, end, first - self._first)
            except RuntimeError as error:
                raise OSError(f"{self._dataset.uri} cannot be read: {error}") from error
            yield (end - first) * self._facts.row_bytes

    def none(self) -> PackedVectors:
        """Return no rows, of the same kind."""
        return PackedVectors(**fields_of(self._facts.rows(self._facts.empty(0))))

    def vectors(self) -> PackedVectors:
        """Return the rows; ValueError for the first that cannot be."""
        return PackedVectors(**fields_of(self._facts.rows(self._fields)))
