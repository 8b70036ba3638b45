"""The work of a study, shared by the processes that torchrun or another launcher has started.

What they add up are whole numbers, also where these are float64, and below 2^53: the sums are the
same in any order. All else is made by one of them as one process alone makes it, and all get it.
"""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from evaluation.command.errors import InputError
from minifloat.distributed.exchange.ranks import Ranks, as_bytes, of_bytes

T = TypeVar("T")
R = TypeVar("R")

# A day: what one rank does while others wait may take hours, and one that has died is told at once.
TIMEOUT = 86400.0


class Sharing:
    """The ranks of a study, or this process alone; all ranks call the same, in the same order.

    RankError names a rank that has failed, or is gone.
    """

    def __init__(self, ranks: Ranks | None = None) -> None:
        self._ranks = ranks
        self._rank, self._count = (0, 1) if ranks is None else (ranks.rank, ranks.count)

    @property
    def is_first(self) -> bool:
        """Whether this rank is the one that prints, draws and writes."""
        return self._rank == 0

    @property
    def share(self) -> slice:
        """Which of many parts in order are this rank's."""
        return slice(self._rank, None, self._count)

    def summed(self, *counts: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield each array of whole numbers, added up over all ranks."""
        for one in counts:
            if self._ranks is None:
                yield one
            else:
                yield self._ranks.sum(torch.from_numpy(one), "counts").numpy()

    def each(self, make: Callable[[], T]) -> list[T]:
        """Return what a function returns on each rank, in the order of ranks."""
        if self._ranks is None:
            return [make()]

        def joined(parts: list[Tensor | None]) -> Tensor:
            return of_bytes(pickle.dumps([as_bytes(part) for part in parts if part is not None]))

        # Processes of one group run each other's code: what they send is as trusted as that.
        every = self._ranks.together(lambda: of_bytes(pickle.dumps(make())), joined, "each")
        return [pickle.loads(part) for part in pickle.loads(as_bytes(every))]

    def map(self, make: Callable[[T], R], things: Sequence[T]) -> Iterator[R]:
        """Yield what a function makes of each thing, in order; each rank does so of one at once."""
        for start in range(0, len(things), self._count):
            some = things[start : start + self._count]
            own = some[self._rank : self._rank + 1]
            for made in self.each(partial(_made, make, own)):
                yield from made

    def agreed(self, make: Callable[[], T], digest: Callable[[T], str]) -> T:
        """Return what a function returns here, if it does on all ranks, with one digest."""
        made: list[T] = []

        def told() -> str:
            made.append(make())
            return digest(made[0])

        digests = self.each(told)
        for rank, one in enumerate(digests):
            if one != digests[0]:
                raise InputError(
                    f"rank {rank} was given other options or files than rank 0: all ranks must "
                    "study the same"
                )
        return made[0]


def _made(make: Callable[[T], R], things: Sequence[T]) -> list[R]:
    return [make(one) for one in things]


ALONE = Sharing()


@contextmanager
def shared() -> Iterator[Sharing]:
    """Yield how work is shared: a launcher tells by WORLD_SIZE how many processes there are."""
    started = os.environ.get("WORLD_SIZE", "")
    if started in ("", "1"):
        yield ALONE
        return
    try:
        dist.init_process_group("gloo")
        ranks = Ranks(timeout=TIMEOUT)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"{started} processes were started (WORLD_SIZE), which do not find each other "
            f"({error}); start them by torchrun"
        ) from error
    try:
        yield Sharing(ranks)
    finally:
        dist.destroy_process_group()


@contextmanager
def silent_unless_first() -> Iterator[None]:
    """A block in which no rank but the first prints anything; what ends it is told after it."""
    if os.environ.get("RANK", "0") in ("", "0"):
        yield
        return
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        yield
