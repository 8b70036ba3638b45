"""One answer made of what each rank has; whoever fails or is lost is named to all."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from torch import Tensor

from minifloat.distributed.exchange.errors import RankError
from minifloat.distributed.exchange.members import TELLING, Members
from minifloat.distributed.exchange.messages import (
    NOTHING,
    Expected,
    Kind,
    Message,
    Sent,
    Status,
    finish,
    send,
    text,
)
from minifloat.distributed.exchange.outcomes import ANEW, lost, refused, status_of, worst

Make = Callable[[], Tensor]
# What one rank has for all, or for each by its number.
Made: TypeAlias = "Tensor | Sequence[Tensor]"
Spread = Callable[[], Made]
Combine = Callable[[list[Tensor | None]], Made]

# Of its time-out, the share that rank 0 waits for others; they wait for it all of theirs.
_SHARE = 0.5


class _ElsewhereError(Exception):
    """What the rank that was to spread has met."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Round:
    """What all ranks do together, in one order: `tell` and hear, `give`, and `take` the answer.

    call: what is asked, in words; all ranks must ask the same. All data are bytes, uint8 (n,).
    sources and targets: of which ranks this one hears something before it gives its part, and whom
    it tells something. Between `give` and `take` a rank can be about the next round.
    """

    def __init__(
        self, ranks: Members, call: str, sources: Sequence[int] = (), targets: Sequence[int] = ()
    ) -> None:
        ranks.refuse_broken()
        self._ranks, self._targets = ranks, targets
        self._number, self._call = ranks.next_number(), zlib.crc32(call.encode())
        self._error: Exception | None = None
        self._has_told = False
        self.reasons: dict[int, str] = {}
        self._sent: list[Sent] = []
        self._own: Message = self._message(Status.HERE, NOTHING)
        self._told = self._expected(sources, Kind.SPREAD)
        self._answer: Expected | None = None
        if ranks.rank != 0:
            self._answer = Expected(ranks.answers, 0, Kind.ANSWER, self._number)
        self._parts: dict[int, Expected] = {}
        # To expect takes as long as to send, and what others wait for goes first.
        if not targets:
            self._expect_parts()

    @staticmethod
    def of_one(ranks: Members, call: str, src: int) -> Round:
        """Return a round in which one rank tells all others something, and they hear it."""
        if ranks.rank == src:
            return Round(ranks, call, targets=ranks.others())
        return Round(ranks, call, sources=[src])

    def spread(self, make: Spread) -> Tensor:
        """Return what the one rank's function makes for all ranks, or for each of them."""
        for src in self._told:
            return self.hear(src)
        return self.tell(make)

    def tell(self, make: Spread) -> Tensor:
        """Send the targets what a function makes for all ranks, or for each; return one's own."""
        each = self._of_each(make())
        self._send_told([self._message(Status.HERE, data) for data in each])
        return each[self._ranks.rank]

    def hear(self, source: int) -> Tensor:
        """Return what a source tells this rank."""
        seconds = self._ranks.timeout * _SHARE
        try:
            message = self._told[source].wait(seconds)
        except RuntimeError as error:
            raise RankError(source, lost(error, seconds)) from error
        if message.status != Status.HERE:
            raise _ElsewhereError(message)
        self._check(message, source)
        return message.data

    def give(self, make: Make) -> None:
        """Send what a function makes, or what it raises."""
        try:
            self._own = self._message(Status.HERE, make())
        except _ElsewhereError as error:
            # Rank 0 hears it from the rank itself, too.
            self._own = error.message
        except RankError as error:
            if error.rank == 0:
                # No one else could tell what becomes of this round, or of one before.
                self._ranks.leave(error)
                raise
            self._error = error
            self._own = self._message(Status.LOST, text(error.reason), error.rank)
        except Exception as error:
            self._error = error
            self._own = self._failed(error)
            if not self._has_told:
                self._send_told([self._own] * self._ranks.count)
        except BaseException as error:
            self._ranks.leave(RankError(self._ranks.rank, f"was interrupted: {error!r}"))
            raise
        if self._ranks.rank != 0:
            self._sent.append(self._send(0, Kind.PART, self._own))

    def take(self, combine: Combine, *, allow_partial: bool = False) -> Tensor:
        """Return what rank 0 makes of what all have given, in their order, for all or for each.

        RankError, which names the rank, for one that is lost or has met an error; that rank itself
        raises what it met. With allow_partial, None is given for a rank whose files are damaged,
        and `reasons` tells on rank 0 what is wrong. ValueError, KeyError, LookupError and
        TypeError, which are the fault of a call that all have made, all raise alike.
        """
        if self._ranks.rank != 0:
            return self._taken()
        parts = [self._own, *[self._part(rank) for rank in self._parts]]
        wrong = worst(parts, allow_partial=allow_partial)
        if wrong is None:
            self.reasons = {one.rank: one.text for one in parts if one.status != Status.HERE}
            try:
                made = combine([one.data if one.status == Status.HERE else None for one in parts])
            except Exception as error:
                self._error = error
                wrong = self._failed(error)
            else:
                each = self._of_each(made)
                self._tell([self._message(Status.HERE, data) for data in each])
                return each[0]
        self._tell([wrong] * self._ranks.count)
        raise self._raised(wrong)

    def _part(self, rank: int) -> Message:
        if (self._own.status, self._own.rank) == (Status.LOST, rank):
            return self._own
        try:
            message = self._parts[rank].wait(self._ranks.timeout * _SHARE)
        except RuntimeError as error:
            reason = lost(error, self._ranks.timeout * _SHARE)
            return self._message(Status.LOST, text(reason), rank)
        try:
            self._check(message, rank)
        except RankError as error:
            return self._message(Status.LOST, text(error.reason), rank)
        return message

    def _taken(self) -> Tensor:
        assert self._answer is not None
        # Who has waited for another rank by now has half of its time left.
        share = 1 - _SHARE if isinstance(self._error, RankError) else 1.0
        seconds = self._ranks.timeout * share
        try:
            message = self._answer.wait(seconds)
        except RuntimeError as error:
            gone = RankError(0, lost(error, seconds))
            self._ranks.leave(gone)
            raise gone from error
        if message.status != Status.HERE:
            raise self._raised(message)
        return message.data

    def _tell(self, answers: Sequence[Message]) -> None:
        """Tell all others the answer, or which rank is lost."""
        sent = {rank: self._send(rank, Kind.ANSWER, answers[rank]) for rank in self._parts}
        self._ranks.keep([*sent.values()])
        if answers[0].status == Status.LOST:
            # The one that is lost may be alive, but must not keep others waiting.
            for rank in sorted(sent, key=lambda rank: rank == answers[0].rank):
                finish(sent[rank], TELLING)

    def _raised(self, wrong: Message) -> Exception:
        """Return what this rank raises where one has met an error."""
        named = RankError(wrong.rank, wrong.text)
        if wrong.status == Status.LOST:
            self._ranks.leave(named)
        is_own = wrong.rank == self._ranks.rank
        if is_own and self._error is not None:
            return self._error
        if wrong.status != Status.REFUSED:
            return named
        return refused(wrong)

    def _expect_parts(self) -> None:
        if self._ranks.rank == 0:
            self._parts = self._expected(self._ranks.others(), Kind.PART)

    def _expected(self, sources: Sequence[int], kind: Kind) -> dict[int, Expected]:
        group = self._ranks.parts
        return {rank: Expected(group, rank, kind, self._number) for rank in sources}

    def _send_told(self, messages: Sequence[Message]) -> None:
        self._sent += [self._send(rank, Kind.SPREAD, messages[rank]) for rank in self._targets]
        self._has_told = True
        if self._targets:
            self._expect_parts()

    def _of_each(self, made: Made) -> Sequence[Tensor]:
        return [made] * self._ranks.count if isinstance(made, Tensor) else made

    def _failed(self, error: Exception) -> Message:
        status, words = status_of(error)
        return self._message(status, text(words))

    def _send(self, to: int, kind: Kind, message: Message) -> Sent:
        group = self._ranks.answers if kind == Kind.ANSWER else self._ranks.parts
        return send(group, to, kind, message)

    def _message(self, status: Status, data: Tensor, rank: int | None = None) -> Message:
        of = self._ranks.rank if rank is None else rank
        return Message(self._number, self._call, status, of, data)

    def _check(self, message: Message, rank: int) -> None:
        if (message.number, message.call) != (self._number, self._call):
            raise RankError(
                rank,
                f"asks for something else (round {message.number}, and this is {self._number}): "
                f"all ranks must make the same calls in one order, with one k; {ANEW}",
            )
