"""Ids of the rows of many sources, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minifloat.distributed.building.sources import File, npy
from minifloat.index.catalog.ids import INTEGER, TEXT, Ids, as_ids

# What is known of one source's ids: its file, or a digest of values.
Fact = list[Any]

_KINDS = {"i": INTEGER, "u": INTEGER, "U": TEXT}


class Names:
    """Ids as users give them: of each source a .npy file or values, or for None running numbers."""

    def __init__(self, given: Sequence[Any] | None, sources: int) -> None:
        """Take them; ValueError or TypeError for what are no ids, or are of several kinds."""
        self._given: list[NDArray[Any] | Ids] | None = None
        self.kind, self.facts = INTEGER, list[Fact]()
        if given is None:
            return
        if isinstance(given, (str, Path)) or len(given) != sources:
            got = repr(given) if isinstance(given, (str, Path)) else len(given)
            raise ValueError(f"ids must be given for each of {sources} sources; got {got}")
        self._given = [npy(str(one)) if _is_file(one) else as_ids(one) for one in given]
        self.facts = [
            list(File.of(one)) if _is_file(one) else [_digest(ids)]
            for one, ids in zip(given, self._given, strict=True)
        ]
        kinds = [_kind(ids) for ids in self._given if len(ids)]
        self.kind = kinds[0] if kinds else INTEGER
        if other := [kind for kind in kinds if kind != self.kind]:
            raise TypeError(f"ids must be of one kind; got {self.kind} and {other[0]}")

    def refuse_others(self, rows: Sequence[tuple[str, int]]) -> None:
        """Raise ValueError where there are not as many as rows of the sources, by their names."""
        for ids, (name, count) in zip(self._given or (), rows, strict=False):
            if len(ids) != count:
                raise ValueError(
                    f"there must be an id for each of {count} rows of {name}; got {len(ids)}"
                )

    def within(self, first: int, end: int, spans: Iterable[tuple[int, int, int]]) -> Ids:
        """Return those of rows from one to another, which are in sources from a row to another."""
        if self._given is None:
            return as_ids(range(first, end))
        parts = [self._some(*span) for span in spans]
        if self.kind == INTEGER:
            return as_ids(np.concatenate([ids.integers for ids in parts]))
        return Ids.of(self.kind, [id for ids in parts for id in ids.values])

    def _some(self, source: int, first: int, end: int) -> Ids:
        assert self._given is not None
        given = self._given[source]
        if isinstance(given, Ids):
            return given.some(slice(first, end))
        return as_ids(given[first:end], self.kind)


def _is_file(given: Any) -> bool:
    return isinstance(given, (str, Path))


def _kind(ids: NDArray[Any] | Ids) -> str:
    if isinstance(ids, Ids):
        return ids.kind
    if ids.ndim != 1 or ids.dtype.kind not in _KINDS:
        raise TypeError(
            f"a file of ids must hold integers or texts, (rows,); got {ids.dtype} of shape "
            f"{ids.shape}"
        )
    return _KINDS[ids.dtype.kind]


def _digest(ids: NDArray[Any] | Ids) -> str:
    assert isinstance(ids, Ids)
    data = ids.integers.tobytes() if ids.kind == INTEGER else repr(ids.values).encode()
    return hashlib.sha256(data).hexdigest()
