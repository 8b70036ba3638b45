"""Processes that work together: what each has is made one thing, which all get."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minifloat.distributed.exchange.members import Members
from minifloat.distributed.exchange.rounds import Combine, Round


class Ranks(Members):
    """The ranks of a group, or this process alone, and what they make together.

    rank: this one's number in the group; count: how many there are. timeout: seconds within
    which all know of one that is lost, by RankError; all have to start anew then.
    """

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


def of_bytes(data: bytes) -> Tensor:
    """Return bytes as data of a message."""
    if not data:
        return torch.empty(0, dtype=torch.uint8)
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def as_bytes(data: Tensor) -> bytes:
    """Return data of a message as bytes."""
    return data.numpy().tobytes()
