"""Ids: 64-bit integers, texts or UUIDs, as users give them and as SQLite keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

INTEGER, TEXT, UUIDS = "integer", "text", "uuid"
KINDS = {int: INTEGER, str: TEXT, UUID: UUIDS}
_NOUNS = {INTEGER: "64-bit integers", TEXT: "texts", UUIDS: "UUIDs"}

# So many are named in errors.
_NAMED = 3


class Ids:
    """Ids of one kind. integers: int64, where they are such."""

    def __init__(self, kind: str, values: list[Any] | None, integers: NDArray[np.int64]) -> None:
        """Take ids; values may be None where they are integers."""
        self.kind, self._values, self.integers = kind, values, integers

    @property
    def values(self) -> list[Any]:
        """The ids as SQLite takes them: int, str, or bytes of a UUID."""
        if self._values is None:
            self._values = self.integers.tolist()
        return self._values

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.integers if self.kind == INTEGER else self.values)

    def some(self, which: slice) -> Ids:
        """Return some of them."""
        if self.kind == INTEGER:
            return Ids(self.kind, None, self.integers[which])
        return Ids(self.kind, self.values[which], self.integers)

    @staticmethod
    def of(kind: str, values: list[Any]) -> Ids:
        """Return ids of a kind, as SQLite has them."""
        numbers = values if kind == INTEGER else []
        return Ids(kind, values, np.array(numbers, np.int64))

    def tensor(self) -> Tensor:
        """Return integers as a tensor, int64."""
        return torch.from_numpy(self.integers)

    @property
    def ascend(self) -> bool:
        """Whether they are integers in ascending order, none of them twice."""
        return len(self.integers) > 0 and bool((self.integers[1:] > self.integers[:-1]).all())

    def refuse_twice(self) -> None:
        """Raise ValueError for an id that is there twice."""
        if self.ascend or len(set(self.values)) == len(self.values):
            return
        seen: set[Any] = set()
        for value in self.values:
            if value in seen:
                raise ValueError(f"ids must differ; got {shown(self.kind, value)} twice")
            seen.add(value)


def as_ids(given: Any, kind: str | None = None) -> Ids:
    """Return ids as users give them: a list, an array, a tensor, a column, of one kind.

    TypeError or ValueError for what are no ids, or are of another kind than an index has.
    """
    if kind in (None, INTEGER) and (numbers := _integers_of(given)) is not None:
        return Ids(INTEGER, None, numbers)
    values = _listed(given)
    types = set(map(type, values))
    if not types:
        return Ids.of(kind or INTEGER, [])
    if len(types) > 1 or next(iter(types)) not in KINDS:
        names = ", ".join(sorted(one.__name__ for one in types))
        raise TypeError(f"ids must be all int, all str, or all uuid.UUID; got {names}")
    found = KINDS[types.pop()]
    if kind is not None and found != kind:
        raise TypeError(
            f"ids of this index are {_NOUNS[kind]}; got {_NOUNS[found]}, the first {values[0]!r}"
        )
    if found == INTEGER:
        _check_integers(values)
    elif found == TEXT:
        _check_texts(values)
    else:
        values = [value.bytes for value in values]
    return Ids.of(found, values)


def as_id(given: Any, kind: str | None) -> Ids:
    """Return one id."""
    return as_ids([given.item() if isinstance(given, (Tensor, np.generic)) else given], kind)


def shown(kind: str, value: Any) -> str:
    """Return an id as users gave it, in words."""
    return str(UUID(bytes=value)) if kind == UUIDS else repr(value)


def named(kind: str, values: Sequence[Any]) -> str:
    """Return the first of some ids, in words."""
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(shown(kind, value) for value in values[:_NAMED]) + more


def as_objects(kind: str, values: Iterable[Any]) -> NDArray[Any]:
    """Return texts or UUIDs of SQLite as an array of objects; None stays."""
    found = list(values)
    if kind == UUIDS:
        found = [None if value is None else UUID(bytes=value) for value in found]
    array = np.empty(len(found), object)
    array[:] = found
    return array


def _integers_of(given: Any) -> NDArray[np.int64] | None:
    """Return integers that are in an array, a tensor or a range; None for all else."""
    if isinstance(given, range) and all(abs(end) < 2**62 for end in (given.start, given.stop)):
        return np.arange(given.start, given.stop, given.step)
    if isinstance(given, Tensor):
        given = given.cpu().numpy()
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind == "i":
        return given.astype(np.int64)
    return None


def _listed(given: Any) -> list[Any]:
    if isinstance(given, (str, bytes, int, UUID)):
        raise TypeError(f"ids must be a list, an array or a column of them; got {given!r}")
    if isinstance(given, Tensor):
        given = given.cpu().numpy()
    elif not isinstance(given, (list, tuple, range, np.ndarray)) and hasattr(given, "__array__"):
        given = np.asarray(given)
    if not isinstance(given, np.ndarray):
        values = list(given)
        if any(issubclass(one, np.generic) for one in set(map(type, values))):
            values = [one.item() if isinstance(one, np.generic) else one for one in values]
        return values
    if given.ndim != 1:
        raise ValueError(f"ids must be in one row; got shape {given.shape}")
    if given.dtype.kind not in "iuUO":
        raise TypeError(f"ids must be all int, all str, or all uuid.UUID; got {given.dtype}")
    return list(given.tolist())


def _check_integers(values: list[int]) -> None:
    for value in (min(values), max(values)):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"ids must be at least -2^63 and below 2^63; got {value}")


def _check_texts(values: list[str]) -> None:
    for value in values:
        # Half of a pair of UTF-16, which SQLite has no bytes for.
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"ids must be texts of Unicode; got {value!r}")
