"""What was added and is not in SQLite yet, and which ids may be there at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minifloat.index.catalog.ids import INTEGER, Ids

# After so many rows they are written to SQLite, where they take no memory.
MOST = 1 << 18

_LEAST_WORDS = 1 << 14
# Bits of a word that an id sets, and ids for each word: one in a thousand is then thought known.
_BITS, _IDS_A_WORD = 4, 3


class Seen:
    """Ids that may have been seen: of those that have not, few are thought to have.

    A blocked Bloom filter, of which a word of 64 bits serves three ids (Putze, Sanders and Singler,
    2007).
    """

    def __init__(self, hashes: NDArray[Any], more: int = 0) -> None:
        """Begin with ids that differ, by their hashes, and room for more."""
        words = max(_LEAST_WORDS, 2 * (len(hashes) + more) // _IDS_A_WORD)
        self._words: NDArray[Any] = np.zeros(words, np.uint64)
        self._count = 0
        self.add(hashes)

    def is_full(self, more: int) -> bool:
        """Return whether so many more ids are too many."""
        return self._count + more > len(self._words) * _IDS_A_WORD

    def add(self, hashes: NDArray[Any]) -> list[int]:
        """Take ids up, which differ; return the places of those that may have been there."""
        # The high half of a product with the number of words.
        words = ((hashes >> np.uint64(32)) * np.uint64(len(self._words))) >> np.uint64(32)
        masks = np.zeros(len(hashes), np.uint64)
        for i in range(_BITS):
            masks |= np.uint64(1) << ((hashes >> np.uint64(6 * i)) & np.uint64(63))
        known = (self._words[words] & masks) == masks
        np.bitwise_or.at(self._words, words, masks)
        self._count += len(hashes)
        return np.flatnonzero(known).tolist()


class Pending:
    """Rows that wait, one after the other: their ids and columns, from a row's number on."""

    def __init__(self, first: int) -> None:
        self.first, self._count = first, 0
        self._batches: list[tuple[list[Any], list[list[Any]]]] = []
        self._known: set[Any] = set()
        self._known_batches = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __contains__(self, id: Any) -> bool:
        """Return whether an id is among them."""
        # Where all ids are new nobody asks, and nothing is hashed.
        for ids, _ in self._batches[self._known_batches :]:
            self._known.update(ids)
        self._known_batches = len(self._batches)
        return id in self._known

    def add(self, ids: list[Any], columns: list[list[Any]]) -> None:
        """Take rows up."""
        self._batches.append((ids, columns))
        self._count += len(ids)

    def keep(self, count: int) -> None:
        """Drop rows after the first so many, which are those of whole batches."""
        batches, self._batches, self._known, self._known_batches = self._batches, [], set(), 0
        self._count = 0
        for ids, columns in batches:
            if self._count + len(ids) <= count:
                self.add(ids, columns)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as SQLite gets them: number, id, when they were removed, columns."""
        first = self.first
        for ids, columns in self._batches:
            yield from zip(range(first, first + len(ids)), ids, repeat(None), *columns)
            first += len(ids)


def hashes(ids: Ids) -> NDArray[Any]:
    """Return 64 bits for each id, in which all take part."""
    if ids.kind == INTEGER:
        return hashes_of_integers(ids.integers)
    return hashes_of_integers(np.fromiter(map(hash, ids.values), np.int64, len(ids)))


def hashes_of_integers(integers: NDArray[np.int64]) -> NDArray[Any]:
    """Return 64 bits for each integer, in which all of its own take part."""
    found = integers.view(np.uint64)
    # The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))
