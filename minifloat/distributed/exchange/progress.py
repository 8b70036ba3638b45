"""Work that takes long, on all ranks at once, with one line of how far all of them are."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TextIO

import torch
from torch import Tensor

from minifloat.distributed.exchange.ranks import Ranks
from minifloat.distributed.exchange.rounds import Round

# Seconds of work between two exchanges, which no time-out has to allow for more than.
_SLICE = 1.0

# Seconds between two lines where nobody watches.
_LOGGED = 30.0

_STEPS = ("", "k", "M", "G", "T", "P")


def in_step(ranks: Ranks, steps: Iterable[int], total: int, *, what: str, unit: str) -> None:
    """Go through steps, each of which gives how much it has done of this rank's total.

    All ranks do so at once, and return when all have ended. What one raises ends all: see `Round`.
    Rank 0 says on stderr how far all are. A step must take less than half of the ranks' timeout.
    """
    todo, done, is_done = iter(steps), 0, False
    line = Line(what, unit)
    before: Round | None = None

    def work() -> Tensor:
        nonlocal done, is_done
        end = time.monotonic() + _SLICE
        while not is_done and time.monotonic() < end:
            some = next(todo, None)
            is_done = some is None
            done += some or 0
        return torch.tensor([done, total, is_done]).view(torch.uint8)

    def told(parts: list[Tensor | None]) -> Tensor:
        each = torch.stack([part.clone().view(torch.int64) for part in parts if part is not None])
        line.show(each[:, 0], each[:, 1])
        return each[:, 2].all().byte()[None]

    are_done = False
    try:
        while not are_done:
            one = Round(ranks, what)
            one.give(work)
            if before is not None:
                are_done = bool(before.take(told)[0])
            before = one
        assert before is not None
        before.take(told)
    finally:
        line.close()


class Line:
    """One line of how far ranks are: rewritten where somebody watches, else a new one at times."""

    def __init__(self, what: str, unit: str, out: TextIO | None = None) -> None:
        self._what, self._unit = what, unit
        self._out = sys.stderr if out is None else out
        self._watched = self._out.isatty()
        self._begun = self._last = time.monotonic()
        self._shown = False

    def show(self, done: Tensor, total: Tensor) -> None:
        """Say how much each rank has done of what it has to."""
        now = time.monotonic()
        if not self._watched and now - self._last < _LOGGED:
            return
        self._last, self._shown = now, True
        text = told(self._what, self._unit, done, total, now - self._begun)
        self._out.write(f"\r{text}\x1b[K" if self._watched else f"{text}\n")
        self._out.flush()

    def close(self) -> None:
        """End the line."""
        if self._watched and self._shown:
            self._out.write("\n")


def told(what: str, unit: str, done: Tensor, total: Tensor, seconds: float) -> str:
    """Return how far ranks are, in words: of all together, of the slowest, and the time left."""
    shares = done.double() / total.clamp(min=1)
    slowest = int(torch.where(total > 0, shares, 1).argmin())
    so_far, whole = int(done.sum()), int(total.sum())
    rate = so_far / seconds if seconds > 0 else 0.0
    left = f", {(whole - so_far) / rate:.0f} s left" if rate and so_far < whole else ""
    ranks = "1 rank"
    if len(done) > 1:
        ranks = f"{len(done)} ranks, least rank {slowest} with {100 * shares[slowest]:.0f} %"
    return f"{what}: {_short(so_far, unit)} of {_short(whole, unit)} on {ranks}{left}"


def _short(number: float, unit: str) -> str:
    """Return a number with a unit, in thousands, millions and so on of it."""
    step = 0
    while number >= 1000 and step + 1 < len(_STEPS):
        number, step = number / 1000, step + 1
    between = "" if unit == "B" or not step else " "
    return f"{number:.3g} {_STEPS[step]}{between}{unit}"
