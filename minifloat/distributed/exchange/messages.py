"""Messages between ranks: bytes behind a header, over gloo, from main memory."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

# All messages begin with so many bytes, whatever they hold: no rank has to know how much comes.
FIRST = 1 << 14

_FIELDS = 5
_HEADER = 8 * _FIELDS

_TAGS = 1 << 30

# The data of a message that says no more than that it is there.
NOTHING = torch.empty(0, dtype=torch.uint8)


class Status(IntEnum):
    """What became of a part: here, refused, or its rank failed, has damaged files, is lost."""

    HERE, REFUSED, FAILED, DAMAGED, LOST = range(5)


class Kind(IntEnum):
    """Which message of a round it is: from one rank to all, from each to one, or from it to all."""

    SPREAD, PART, ANSWER = range(3)


class Message(NamedTuple):
    """Bytes, uint8 (n,), of the round of a number, which is for a call; of an error, its text.

    rank: which rank met the error, or is lost.
    """

    number: int
    call: int
    status: Status
    rank: int
    data: Tensor

    @property
    def text(self) -> str:
        """The data as text."""
        return self.data.numpy().tobytes().decode(errors="replace")


class Sent(NamedTuple):
    """What is on its way, and the memory that it comes from."""

    works: tuple[Any, ...]
    memory: tuple[Tensor, ...]
    error: RuntimeError | None


class Expected:
    """A message that is to come from a rank of a gloo group; its first bytes come at any time."""

    def __init__(self, group: Any, source: int, kind: Kind, number: int) -> None:
        self._group, self._source = group, source
        self._tags = _tags(kind, number)
        self._first = torch.empty(FIRST, dtype=torch.uint8)
        self._work, self._error = None, None
        try:
            self._work = _received(self._first, group, source, self._tags[0])
        except RuntimeError as error:
            # From a rank that is known to be gone gloo does not even begin to receive.
            self._error = error

    def wait(self, seconds: float) -> Message:
        """Return it; RuntimeError where it does not come in time, or never will."""
        if self._error is not None:
            raise self._error
        end = time.monotonic() + seconds
        _wait(self._work, seconds)
        *fields, length = self._first.numpy()[:_HEADER].view(np.int64).tolist()
        data = self._first[_HEADER : _HEADER + min(length, FIRST - _HEADER)]
        if length > len(data):
            rest = torch.empty(length - len(data), dtype=torch.uint8)
            work = _received(rest, self._group, self._source, self._tags[1])
            _wait(work, end - time.monotonic())
            data = torch.cat([data, rest])
        number, call, status, rank = fields
        return Message(number, call, Status(status), rank, data)


def send(group: Any, to: int, kind: Kind, message: Message) -> Sent:
    """Begin to send; where the other rank is gone, `finish` tells."""
    number, call, status, rank, data = message
    first = torch.empty(FIRST, dtype=torch.uint8)
    begin, whole = first.numpy(), data.numpy()
    begin[:_HEADER].view(np.int64)[:] = number, call, status, rank, len(whole)
    some = whole[: FIRST - _HEADER]
    begin[_HEADER : _HEADER + len(some)] = some
    parts = [first, data[len(some) :]] if len(some) < len(whole) else [first]
    works = []
    try:
        for part, tag in zip(parts, _tags(kind, message.number)[: len(parts)], strict=True):
            works.append(group.send([part], to, tag))
    except RuntimeError as error:
        return Sent(tuple(works), tuple(parts), error)
    return Sent(tuple(works), tuple(parts), None)


def finish(sent: Sent, seconds: float) -> RuntimeError | None:
    """Wait until a message has left; return the error where it does not in time."""
    end = time.monotonic() + seconds
    try:
        for work in sent.works:
            _wait(work, end - time.monotonic())
    except RuntimeError as error:
        return error
    return sent.error


def text(what: str) -> Tensor:
    """Return a text as the data of a message."""
    return torch.frombuffer(bytearray(what.encode() or b" "), dtype=torch.uint8)


def _tags(kind: Kind, number: int) -> tuple[int, int]:
    """Return the tags of a message's first bytes and of the rest."""
    first = 2 * (len(Kind) * number + kind) % _TAGS
    return first, first + 1


def _received(data: Tensor, group: Any, source: int, tag: int) -> Any:
    return group.recv([data], source, tag)


def _wait(work: Any, seconds: float) -> None:
    # gloo takes no time for all the time that there is.
    work.wait(timedelta(seconds=max(seconds, 0.001)))
