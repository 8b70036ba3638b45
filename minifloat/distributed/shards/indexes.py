"""Rows of an index: each rank has some of its files, and rank 0 its catalog beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minifloat.distributed.exchange.messages import NOTHING
from minifloat.distributed.exchange.ranks import Ranks
from minifloat.distributed.exchange.rounds import Round
from minifloat.distributed.exchange.tensors import as_message, of_message, there
from minifloat.index import sharing
from minifloat.index.catalog.catalog import Version
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.ids import INTEGER
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.state import State
from minifloat.vectors import PackedVectors


def as_plan(plan: sharing.Plan) -> dict[str, Any]:
    """Return what all ranks open, as a message has it."""
    found: dict[str, Any] = plan._asdict()
    return found | {"rows": plan.version.positions}


class Reading:
    """Rows of an index from one position to another."""

    def __init__(self, plan: dict[str, Any], folder: Path, first: int, end: int) -> None:
        files = [(at, rows, name) for at, rows, name in plan["files"]]
        self.plan = sharing.Plan(plan["facts"], Version(*plan["version"]), files)
        self._filling = sharing.Filling(self.plan, folder, first, end)

    def bytes(self) -> int:
        """Return how many bytes of files that are."""
        return self._filling.bytes()

    def steps(self, *, verify: bool) -> Iterator[int]:
        """Read what is in files, and yield the bytes that were read."""
        return self._filling.steps(verify=verify)

    def snapshot(self, rest: dict[str, Tensor]) -> Snapshot:
        """Return all rows, given those that the catalog alone has."""
        return self._filling.finish(rest)

    def none(self) -> Snapshot:
        """Return no rows, of the same kind."""
        return sharing.Filling(self.plan, Path(), 0, 0).finish({})


class IndexRows:
    """A rank's rows of an index, and on rank 0 the index, whose catalog knows all of them.

    ends: on rank 0, the numbers of the first and the last row of each rank.
    """

    def __init__(self, reading: Reading, state: State | None) -> None:
        facts = reading.plan.facts
        self.kind, self.columns = Kind.read(facts), Columns.read(facts["columns"])
        self.id_kind: str | None = facts.get("ids")
        self.version = reading.plan.version.version
        self.state, self._reading = state, reading
        self.snapshot = reading.none()
        self.ends: list[list[int]] = []

    @property
    def vectors(self) -> PackedVectors:
        """The rows."""
        return self.snapshot.vectors

    @property
    def names(self) -> Tensor:
        """What tells which row each is: its id, if ids are integers, or else its number."""
        field = "ids" if self.id_kind in (None, INTEGER) else "rows"
        return self.snapshot.store.fields[field][: self.snapshot.count]

    def numbers(self) -> Tensor:
        """Return which row of originals each is, by its id; ValueError for ids that are texts."""
        if self.id_kind not in (None, INTEGER):
            raise ValueError(
                f"ids of this index are of kind {self.id_kind}, and tell no rows of originals: "
                "they must be integers"
            )
        return self.names

    def fill(self, ranks: Ranks, bounds: list[int], *, here: bool) -> None:
        """See the rows that files do not have, and which were removed; here: whether files were."""
        state, plan = self.state, self._reading.plan

        def rest() -> list[Tensor]:
            assert state is not None
            of_each = (sharing.rest_of(state, plan, *span) for span in spans)
            return [as_message([fields.get(name) for name in self._fields]) for fields in of_each]

        def filled(data: Tensor) -> Tensor:
            if not here:
                return as_message([torch.tensor([0, -1])])
            fields = dict(zip(self._fields, of_message(data), strict=True))
            self.snapshot = self._reading.snapshot(
                {name: some for name, some in fields.items() if some is not None}
            )
            rows = self.snapshot.store.fields["rows"][: self.snapshot.count]
            ends = rows[[0, -1]] if len(rows) else torch.tensor([0, -1])
            return as_message([ends])

        def ended(parts: list[Tensor | None]) -> Tensor:
            self.ends = [there(of_message(there(part))[0]).tolist() for part in parts]
            return NOTHING

        spans = list(pairwise(bounds))
        self._exchanged(ranks, "rows of an index", rest, filled, ended)

        def removed() -> list[Tensor]:
            assert state is not None
            return [as_message([sharing.removed_between(state, plan, *ends)]) for ends in self.ends]

        def without(data: Tensor) -> Tensor:
            gone = there(of_message(data)[0])
            positions = self.snapshot.store.positions(gone, self.snapshot.count)
            self.snapshot = self.snapshot.without(positions[positions >= 0])
            return NOTHING

        self._exchanged(ranks, "rows that were removed", removed, without, lambda _: NOTHING)

    def of_each(self, rows: Tensor) -> list[Tensor]:
        """Return which of the numbers of rows, which ascend, each rank has."""
        first, last = torch.tensor(self.ends).T.contiguous()
        first, end = torch.searchsorted(rows, first), torch.searchsorted(rows, last, right=True)
        return [rows[a:b] for a, b in zip(first.tolist(), end.tolist(), strict=True)]

    @property
    def _fields(self) -> list[str]:
        return list(self.snapshot.store.fields)

    def _exchanged(
        self,
        ranks: Ranks,
        call: str,
        make: Callable[[], list[Tensor]],
        use: Callable[[Tensor], Tensor],
        combine: Callable[[list[Tensor | None]], Tensor],
    ) -> None:
        """Give each rank what rank 0 makes for it, and rank 0 what each makes of that."""
        one = Round.of_one(ranks, call, 0)
        one.give(lambda: use(one.spread(make)))
        one.take(combine)
