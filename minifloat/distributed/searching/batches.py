"""Queries batch by batch: while the answers to one are exchanged, the next is scored."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from minifloat.arrays import as_made
from minifloat.distributed.exchange.members import Members
from minifloat.distributed.exchange.messages import NOTHING
from minifloat.distributed.exchange.plans import as_text, of_text
from minifloat.distributed.exchange.ranks import as_bytes, of_bytes
from minifloat.distributed.exchange.rounds import Round
from minifloat.distributed.exchange.tensors import as_message, of_message
from minifloat.distributed.searching.queries import Queries, digest
from minifloat.distributed.searching.taking import Asked, Taking, chosen_of, taking_of
from minifloat.distributed.shards.shard import Missing, Shard

# What all queries of a batch may be, and the bytes that answers to them take on rank 0.
_QUERIES, _BYTES = 1024, 1 << 26

# Products that a thread is given for each second of the time-out: some tenth of what it makes.
PRODUCTS = 1 << 34


Tensors = list["Tensor | None"]


def products_in_time(ranks: Members) -> int:
    """Return how many products a rank may have to make in one step."""
    return int(PRODUCTS * torch.get_num_threads() * ranks.timeout)


def at_once(products: int, bytes: int, most: int) -> int:
    """Return how many queries go at once, given what each takes of a rank, and of rank 0.

    most: products that a rank may have to make in one step.
    """
    return max(1, min(_QUERIES, most // max(1, products), _BYTES // bytes))


class Search(Protocol):
    """What a rank finds, and what rank 0 makes of what all have found."""

    def check(self) -> None:
        """Raise ValueError for what cannot be asked."""

    def own(self, queries: Queries, taking: Taking) -> Tensors:
        """Return what this rank finds among its rows that take part."""

    def combine(self, parts: list[Tensors | None]) -> Tensors:
        """Return what all have found; None is of a rank whose rows are missing."""


class Call:
    """A search that all ranks make: what it is in words, who has the queries, who the answer.

    answer_bytes: of the answer to a query, by each rank.
    """

    def __init__(
        self, shard: Shard, name: str, src: int | None, dst: int | None, *, answer_bytes: int
    ) -> None:
        for side, rank in (("src", src), ("dst", dst)):
            if rank is not None and not 0 <= rank < shard.ranks.count:
                raise ValueError(f"{side} must be a rank, 0..{shard.ranks.count - 1}; got {rank}")
        self.shard, self.dst, self.all_have = shard, dst, src is None
        self.src = src or 0
        self.name = f"{name} src={src} dst={dst}"
        rows = max(end - first for first, end in pairwise(shard.bounds))
        of_query = rows * shard.dim, answer_bytes * shard.ranks.count
        self.batch = at_once(*of_query, products_in_time(shard.ranks))
        self.missing: dict[int, Missing] = {}
        self.from_numpy = False

    def answered(
        self,
        given: Any,
        prepare: Callable[[], Queries],
        asked: Asked,
        search: Search,
        *,
        allow_partial: bool,
    ) -> list[Tensors]:
        """Return the answer to each batch, of no tensors on ranks that are not to have it.

        given: the queries on this rank, if any, of which `prepare` makes what all ranks get. asked:
        which rows take part.
        """
        chosen = chosen_of(self.shard, asked)
        taking: Taking | None = None
        found: list[Tensors] = []
        prepared: Queries | None = None
        batches = 1
        # What rank 0 has itself need not be a message.
        own: dict[int, Tensors] = {}
        is_first = self.shard.rank == 0

        def queries_of(one: Round, number: int) -> Queries:
            nonlocal prepared
            if self.shard.rank != self.src:
                return Queries.read(one.hear(self.src))
            if given is None:
                raise ValueError(f"rank {self.src} must give the queries; got None")
            prepared = prepared or prepare()
            some = prepared.some(number)
            one.tell(some.message)
            return some

        def scored(one: Round, number: int) -> Tensor:
            nonlocal batches, taking
            queries = queries_of(one, number)
            if number == 0 and self.all_have and not is_first:
                self._refuse_others(given, queries)
            batches, self.from_numpy = queries.batches, queries.from_numpy
            self.shard.refuse_missing()
            search.check()
            taking = taking or taking_of(self.shard, asked, chosen)
            found_here = search.own(queries, taking)
            if is_first:
                own[number] = found_here
            return NOTHING if is_first else as_message(found_here)

        def begun(number: int) -> Round:
            one = Round.of_one(self.shard.ranks, self.name, self.src)
            one.give(lambda: scored(one, number))
            return one

        def taken(one: Round, number: int) -> None:
            whole: Tensors = []

            def combined(parts: list[Tensor | None]) -> list[Tensor]:
                each = [None if part is None else of_message(part) for part in parts[1:]]
                mine = None if parts[0] is None else own.pop(number)
                reasons = of_bytes(as_text([*one.reasons.items()])) if one.reasons else None
                whole.extend([*search.combine([mine, *each]), reasons])
                return self._for_each(whole)

            data = one.take(combined, allow_partial=allow_partial)
            *answer, reasons = whole or of_message(data)
            for rank, reason in [] if reasons is None else of_text(as_bytes(reasons)):
                first, end = self.shard.bounds[rank : rank + 2]
                self.missing[rank] = Missing(rank, first, end, reason)
            found.append(answer)

        before, number = begun(0), 1
        while number < batches:
            one = begun(number)
            try:
                taken(before, number - 1)
            except Exception:
                # All ranks have begun another, and none may be left waiting for its end.
                if not self.shard.ranks.is_broken:
                    self._drain(one)
                raise
            before, number = one, number + 1
        taken(before, number - 1)
        return found

    @property
    def is_answered(self) -> bool:
        """Whether this rank is to have the answer."""
        return self.dst in (None, self.shard.rank)

    @property
    def left_out(self) -> tuple[Missing, ...]:
        """Whose rows could not be read."""
        return tuple(self.missing[rank] for rank in sorted(self.missing))

    def as_asked(self, queries: Any, *parts: Any) -> list[Any]:
        """Return tensors of an answer of the kind, and where, the queries are; ids as they are."""
        device = queries.device if isinstance(queries, Tensor) else "cpu"
        return [
            as_made(self.from_numpy, part.to(device)) if isinstance(part, Tensor) else part
            for part in parts
        ]

    def _for_each(self, whole: Tensors) -> list[Tensor]:
        """Return what each rank is told: all of it, or which ranks miss rows."""
        count = self.shard.ranks.count
        if count == 1:
            return [NOTHING]
        all_of_it = as_message(whole)
        if self.dst is None:
            return [all_of_it] * count
        of_others = as_message(whole[-1:])
        return [all_of_it if rank == self.dst else of_others for rank in range(count)]

    def _refuse_others(self, given: Any, queries: Queries) -> None:
        """Raise ValueError where this rank was not given the queries of rank 0."""
        if given is None or digest(given) != queries.digest:
            got = "none" if given is None else "others than those of rank 0"
            raise ValueError(
                f"queries must be the same on all ranks, unless src= says which one has them; "
                f"rank {self.shard.rank} has {got}"
            )

    def _drain(self, one: Round) -> None:
        try:
            one.take(lambda _: as_message([]))
        except Exception:
            return
