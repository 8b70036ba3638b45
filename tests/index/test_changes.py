"""An index answers as the simplest list of rows does, whatever was done to it before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import minifloat as mf
from minifloat.index.rows import blocks
from minifloat.index.writing import changing, committing, writer
from tests.index.model import COLUMNS, DIM, IDS, Model, columns, listed, row

NUMBERS = st.integers(0, 12)
SOME = st.lists(NUMBERS, max_size=5, unique=True)
WHERE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "tenant = 1": lambda values: values["tenant"] == 1,
    "weight > 2 OR note IS NOT NULL": lambda v: v["weight"] > 2 or v["note"] is not None,
    "tenant IN (0, 2) AND note LIKE 'N%'": lambda v: v["tenant"] != 1 and v["note"] is not None,
    "tenant = 9": lambda values: False,
}


class Changes(RuleBasedStateMachine):
    """Does the same to an index and to a model of it."""

    @initialize(
        kind=st.sampled_from(list(IDS)),
        on_disk=st.booleans(),
        format=st.sampled_from(["e2m1", "e3m4"]),
        small=st.booleans(),
    )
    def begin(self, kind: str, on_disk: bool, format: str, small: bool) -> None:
        self.patch = pytest.MonkeyPatch()
        if small:
            # Files of few rows, moved together soon; and few that SQLite does not know yet.
            for name, rows in (("UNIT", 2), ("SEALED", 4), ("MOST", 6)):
                self.patch.setattr(blocks, name, rows)
            self.patch.setattr(committing, "FILES", 2)
            self.patch.setattr(writer, "MOST", 3)
            self.patch.setattr(changing, "_AT_ONCE", 2)
        self.id_of, self.kind, self.seed = IDS[kind], kind, 0
        self.folder = tempfile.TemporaryDirectory() if on_disk else None
        self.path = Path(self.folder.name) / "index" if self.folder else None
        self.index = mf.Index.create(self.path, DIM, format, columns=COLUMNS)
        self.model = Model(format)
        self.committed = self.model.copy()
        self.queries = torch.randn(3, DIM, generator=torch.Generator().manual_seed(99))

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.rollback()
            self.index.close()
            self.patch.undo()
        if getattr(self, "folder", None) is not None:
            self.folder.cleanup()  # type: ignore[union-attr]

    def made(self, numbers: list[int]) -> tuple[list[Any], torch.Tensor, dict[str, Any], list[Any]]:
        """Return new rows for ids of some numbers, for both."""
        seeds = [self.seed + i for i in range(len(numbers))]
        self.seed += len(numbers)
        ids = [self.id_of(number) for number in numbers]
        x = torch.cat([torch.zeros(0, DIM), *map(row, seeds)])
        each = [columns(seed) for seed in seeds]
        of_all = {name: [one[name] for one in each] for name in COLUMNS}
        return ids, x, of_all, list(zip(ids, x.split(1), each, strict=False))

    @rule(numbers=SOME)
    def add(self, numbers: list[int]) -> None:
        ids, x, of_all, each = self.made(numbers)
        there = [id for id in ids if id in self.model.ids()]
        if there:
            with pytest.raises(
                ValueError, match=f"{len(there)} of {len(ids)} ids are in the index"
            ):
                self.index.add(ids, x, **of_all)
            return
        self.index.add(ids, x, **of_all)
        self.model.rows += each

    @rule(numbers=SOME)
    def upsert(self, numbers: list[int]) -> None:
        ids, x, of_all, each = self.made(numbers)
        self.index.upsert(ids, x, **of_all)
        for one in each:
            self.model.upsert(*one)

    @rule(numbers=SOME, with_vectors=st.booleans())
    def update(self, numbers: list[int], with_vectors: bool) -> None:
        ids, x, _, each = self.made(numbers)
        absent = [id for id in ids if id not in self.model.ids()]
        if absent:
            with pytest.raises(KeyError, match=f"{len(absent)} of {len(ids)} ids are not"):
                self.index.update(ids, x if with_vectors else None, note="new")
            return
        self.index.update(ids, x if with_vectors else None, note="new")
        known = {id: (vector, values) for id, vector, values in self.model.rows}
        for id, vector, _ in each:
            old, values = known[id]
            self.model.upsert(id, vector if with_vectors else old, values | {"note": "new"})

    @rule(numbers=SOME)
    def remove(self, numbers: list[int]) -> None:
        ids = [self.id_of(number) for number in numbers]
        there = [id for id in ids if id in self.model.ids()]
        if len(there) < len(ids):
            with pytest.raises(KeyError, match="are not in the index"):
                self.index.remove(ids)
        assert self.index.remove(ids, missing="ignore") == len(there)
        self.model.remove(there)

    @rule(where=st.sampled_from(list(WHERE)))
    def remove_where(self, where: str) -> None:
        gone = [id for id, _, values in self.model.rows if WHERE[where](values)]
        assert self.index.remove(where=where) == len(gone)
        self.model.remove(gone)

    @rule()
    def clear(self) -> None:
        assert self.index.clear() == len(self.model.rows)
        self.model.rows = []

    @rule()
    def commit(self) -> None:
        version = self.index.version
        # One more where rows are moved together.
        assert version <= self.index.commit() <= version + 2
        self.committed = self.model.copy()

    @rule()
    def rollback(self) -> None:
        self.index.rollback()
        self.model = self.committed.copy()

    @rule(erase=st.booleans())
    def compact(self, erase: bool) -> None:
        self.index.compact(erase=erase)
        self.committed = self.model.copy()
        assert self.index.stats().removed == 0

    @rule(number=NUMBERS)
    def purge(self, number: int) -> None:
        id = self.id_of(number)
        self.index.commit()
        if id in self.model.ids():
            assert self.index.purge([id]) >= 1
            self.model.remove([id])
        self.committed = self.model.copy()

    @rule()
    def open_anew(self) -> None:
        if self.path is None:
            return
        self.index.commit()
        self.index.close()
        self.index = mf.Index.open(self.path, verify=True)
        self.committed = self.model.copy()

    @invariant()
    def has_the_same_rows(self) -> None:
        if not hasattr(self, "index"):
            return
        ids = self.model.ids()
        assert list(self.index) == ids
        assert len(self.index) == len(ids)
        for number in range(0, 13, 4):
            assert (self.id_of(number) in self.index) == (self.id_of(number) in ids)
        if ids:
            got = self.index.get(ids[::-1])
            assert got.columns["note"] == [v["note"] for _, _, v in self.model.rows[::-1]]
            assert got.columns["weight"] == [v["weight"] for _, _, v in self.model.rows[::-1]]

    @invariant()
    def finds_the_same_rows(self) -> None:
        if not hasattr(self, "index"):
            return
        for where in (None, *WHERE):
            keep = WHERE[where] if where else lambda values: True
            scores, ids = self.index.search(self.queries, 4, where=where)
            expected, of_model = self.model.search(self.queries, 4, keep)
            assert torch.equal(scores.nan_to_num(9), expected.nan_to_num(9)), where
            assert listed(ids, self.kind) == of_model, where

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "index"):
            assert self.index.check() == []


Changes.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestChanges = Changes.TestCase
