"""Processes that work together: the ranks of a group of torch.distributed, and what they exchange.

All of it goes over gloo from main memory, on GPUs too: it is little, and a rank that is lost is an
error that names it, within a time-out of one's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from minifloat.distributed.errors import RankError
from minifloat.distributed.rounds import Combine, Round

TIMEOUT = 30.0


class _Connections:
    """What the ranks of a group exchange over, for as long as the group is: torch makes no second.

    There are two groups of gloo: bad news must have a way where a lost rank has blocked the other.
    """

    def __init__(self, world: Any, members: list[int], timeout: float) -> None:
        self.world, self.number = world, 0
        self.broken: RankError | None = None
        self.parts, self.answers = (
            dist.new_group(
                members,
                timeout=timedelta(seconds=timeout),
                backend="gloo",
                use_local_synchronization=True,
            )
            for _ in range(2)
        )


_CONNECTIONS: dict[tuple[int, ...], _Connections] = {}


class Ranks:
    """The ranks of a group, or this process alone.

    rank: this one's number in the group; count: how many there are. timeout: seconds that each may
    take for one step, after which the others raise RankError and all have to start anew.
    """

    def __init__(self, group: Any = None, *, timeout: float = TIMEOUT) -> None:
        """Join; all ranks of the group must do so at once. RuntimeError where there is no group."""
        if timeout <= 0:
            raise ValueError(f"timeout must be more than 0 seconds; got {timeout}")
        self.timeout, self.rank, self.count = timeout, 0, 1
        self._connections: _Connections | None = None
        self._closed = False
        if not (dist.is_available() and dist.is_initialized()):
            _refuse_started()
            return
        self.rank, self.count = dist.get_rank(group), dist.get_world_size(group)
        if self.rank < 0:
            raise ValueError("this process is not in the group that was given")
        if self.count > 1:
            self._connections = _connected(group, timeout)

    @property
    def parts(self) -> Any:
        """The group that parts go over, to rank 0."""
        return None if self._connections is None else self._connections.parts

    @property
    def answers(self) -> Any:
        """The group that answers go over, from rank 0."""
        return None if self._connections is None else self._connections.answers

    def others(self) -> list[int]:
        """Return the numbers of all other ranks."""
        return [rank for rank in range(self.count) if rank != self.rank]

    def gather(self, data: bytes, call: str) -> list[bytes] | None:
        """Return what all ranks give, on rank 0; None on the others. call: what for, in words."""
        found: list[bytes] = []

        def combine(parts: list[Tensor | None]) -> Tensor:
            found.extend(as_bytes(part) for part in parts if part is not None)
            return of_bytes(b"")

        self.together(lambda: of_bytes(data), combine, call)
        return found if self.rank == 0 else None

    def sum(self, numbers: Tensor, call: str) -> Tensor:
        """Return the sum of what all ranks give, added up in their order, on each of them."""

        def combine(parts: list[Tensor | None]) -> Tensor:
            whole = [part.view(numbers.dtype) for part in parts if part is not None]
            total = whole[0].clone()
            for part in whole[1:]:
                total += part
            return total.view(torch.uint8)

        flat = numbers.detach().cpu().contiguous().reshape(-1)
        total = self.together(lambda: flat.view(torch.uint8), combine, f"{call} {numbers.shape}")
        return total.clone().view(numbers.dtype).reshape(numbers.shape).to(numbers.device)

    def spread(self, make: Callable[[], bytes], call: str) -> bytes:
        """Return on all ranks what a function makes on rank 0, or raise what it raises there."""
        found = b""
        one = Round.of_one(self, call, 0)

        def given() -> Tensor:
            nonlocal found
            found = as_bytes(one.spread(lambda: of_bytes(make())))
            return of_bytes(b"")

        one.give(given)
        one.take(lambda _: of_bytes(b""))
        return found

    def together(
        self,
        make: Callable[[], Tensor],
        combine: Combine,
        call: str,
        *,
        allow_partial: bool = False,
    ) -> Tensor:
        """Return on all ranks what rank 0 makes of what each has made; see `Round`."""
        one = Round(self, call)
        one.give(make)
        return one.take(combine, allow_partial=allow_partial)

    def next_number(self) -> int:
        """Return the number of the next round of the group."""
        if self._connections is None:
            return 0
        self._connections.number += 1
        return self._connections.number

    def leave(self, lost: RankError) -> None:
        """Have nothing be exchanged in the group from here on."""
        if self._connections is not None:
            self._connections.broken = lost

    def refuse_broken(self) -> None:
        """Raise RankError where a rank of the group was lost before; ValueError after `close`."""
        if self._closed:
            raise ValueError("the shard was closed: open it again")
        broken = None if self._connections is None else self._connections.broken
        if broken is not None:
            raise RankError(broken.rank, broken.reason)

    def close(self) -> None:
        """Exchange nothing any more; other shards of the group go on."""
        self._closed = True


def _connected(group: Any, timeout: float) -> _Connections:
    """Return the connections of a group, made when it is first used."""
    world = dist.group.WORLD
    members = dist.get_process_group_ranks(group or world)
    known = _CONNECTIONS.get(tuple(members))
    if known is None or known.world is not world:
        known = _CONNECTIONS[tuple(members)] = _Connections(world, members, timeout)
    return known


def of_bytes(data: bytes) -> Tensor:
    """Return bytes as data of a message."""
    if not data:
        return torch.empty(0, dtype=torch.uint8)
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def as_bytes(data: Tensor) -> bytes:
    """Return data of a message as bytes."""
    return data.numpy().tobytes()


def _refuse_started() -> None:
    """Raise RuntimeError where a launcher has started several processes that do not know others."""
    started = os.environ.get("WORLD_SIZE", "1")
    if started not in ("", "1"):
        raise RuntimeError(
            f"{started} processes were started (WORLD_SIZE), which have no group yet: call "
            "torch.distributed.init_process_group('gloo') first"
        )
