"""Processes of a group of torch.distributed, and the connections that are theirs alone.

All of it goes over gloo from main memory, on GPUs too: it is little, and a rank that is lost is an
error that names it, within a time-out of one's own.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections import Counter, deque
from datetime import timedelta
from typing import Any

import torch.distributed as dist

from minifloat.distributed.exchange.errors import RankError
from minifloat.distributed.exchange.messages import Sent, finish

TIMEOUT = 30.0

# Seconds that a rank which fails waits until others know.
TELLING = 2.0

# How often members of a group have come together.
_MADE: Counter[tuple[int, ...]] = Counter()


class Members:
    """The ranks of a group, or this process alone.

    rank: this one's number in the group; count: how many there are. timeout: seconds within
    which all know of one that is lost, by RankError; all have to start anew then.
    """

    def __init__(self, group: Any = None, *, timeout: float = TIMEOUT) -> None:
        """Join; all ranks of the group must do so at once. RuntimeError where there is no group."""
        if timeout <= 0:
            raise ValueError(f"timeout must be more than 0 seconds; got {timeout}")
        self.timeout, self.rank, self.count = timeout, 0, 1
        # Bad news must have a way where a lost rank has blocked the other.
        self.parts: Any = None
        self.answers: Any = None
        self._number, self._closed = 0, False
        self._broken: RankError | None = None
        self._leaving: deque[list[Sent]] = deque(maxlen=3)
        # Not all call `close`, and others wait for what is on its way.
        weakref.finalize(self, _finish, self._leaving)
        if not (dist.is_available() and dist.is_initialized()):
            _refuse_started()
            return
        self.rank, self.count = dist.get_rank(group), dist.get_world_size(group)
        if self.rank < 0:
            raise ValueError("this process is not in the group that was given")
        if self.count > 1:
            self.parts, self.answers = _groups(group, self.rank, timeout)

    def others(self) -> list[int]:
        """Return the numbers of all other ranks."""
        return [rank for rank in range(self.count) if rank != self.rank]

    def next_number(self) -> int:
        """Return the number of the next round."""
        self._number += 1
        return self._number

    def keep(self, sent: list[Sent]) -> None:
        """Keep messages until they have left: what is let go before never does.

        A rank that takes part in the round after the next has them.
        """
        self._leaving.append(sent)

    def leave(self, lost: RankError) -> None:
        """Have nothing be exchanged from here on."""
        self._broken = lost

    @property
    def is_broken(self) -> bool:
        """Whether a rank was lost."""
        return self._broken is not None

    def refuse_broken(self) -> None:
        """Raise RankError where a rank was lost before; ValueError after `close`."""
        if self._closed:
            raise ValueError("the shard was closed: open it again")
        if self._broken is not None:
            raise RankError(self._broken.rank, self._broken.reason)

    def close(self) -> None:
        """Let go of the connections, which are these ranks' own."""
        _finish(self._leaving)
        self.parts = self.answers = None
        self._closed = True


def _finish(leaving: deque[list[Sent]]) -> None:
    """Wait for messages that others may not have yet."""
    while leaving:
        for one in leaving.popleft():
            finish(one, TELLING)


def _groups(group: Any, rank: int, timeout: float) -> tuple[Any, Any]:
    """Return two gloo groups of a group's members, which no others have been."""
    members = tuple(dist.get_process_group_ranks(group or dist.group.WORLD))
    # torch names a group that not all processes make by how many each has, and again as one before.
    _MADE[members] += 1
    store = dist.distributed_c10d._get_default_store()
    name = f"minifloat/{zlib.crc32(repr(members).encode()):x}/{_MADE[members]}"
    first, second = (
        dist.ProcessGroupGloo(
            dist.distributed_c10d.PrefixStore(f"{name}/{which}", store),
            rank,
            len(members),
            timedelta(seconds=timeout),
        )
        for which in ("parts", "answers")
    )
    return first, second


def _refuse_started() -> None:
    """Raise RuntimeError where a launcher has started several processes that do not know others."""
    started = os.environ.get("WORLD_SIZE", "1")
    if started not in ("", "1"):
        raise RuntimeError(
            f"{started} processes were started (WORLD_SIZE), which have no group yet: call "
            "torch.distributed.init_process_group('gloo') first"
        )
