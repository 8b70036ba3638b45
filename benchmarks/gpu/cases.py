"""What a case is: work on one input, done by minifloat's backends, by limits and by rivals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from benchmarks.cases import Run
from benchmarks.gpu.devices import Device


@dataclass(frozen=True)
class Setting:
    """On which device cases are measured, by which backends, and how often."""

    device: Device
    backends: tuple[str, ...]
    rounds: int


@dataclass
class Outcome:
    """What a case found, what failed in it and what was left out, by name with the reason."""

    found: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


# Characters of an error's message that are kept.
_LONGEST_REASON = 500


class Case(ABC):
    """One operation on inputs of one size."""

    op: str

    @property
    @abstractmethod
    def inputs(self) -> dict[str, int | str]:
        """The sizes by name, and what else tells this case from others."""

    @abstractmethod
    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return the outcome; no round begins after `until`, by the monotonic clock."""

    def __str__(self) -> str:
        """Return the case in words."""
        inputs = (
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in self.inputs.items()
        )
        return ", ".join((self.op, *inputs))


class NotHereError(Exception):
    """A rival is not installed; the message says what gets it."""


@dataclass(frozen=True)
class Entrant:
    """One of those that are timed in turn.

    `start` makes its run, or says None where it cannot do the work. `check` runs that and returns
    its recall (None where answers are exact), or raises RivalError. A run moves so many bytes and
    makes so many operations; `limits` names the entrants that it is held against.
    """

    name: str
    start: Callable[[], Run | None]
    check: Callable[[Run], float | None]
    bytes: int = 0
    operations: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def rates(self, seconds: float) -> dict[str, float]:
        """Return gigabytes and 10^12 operations a second, of those that it has."""
        rates = {"gb_per_s": self.bytes / 1e9, "tops": self.operations / 1e12}
        return {name: amount / seconds for name, amount in rates.items() if amount}


def limit(name: str, start: Callable[[], Run], *, bytes: int = 0, operations: int = 0) -> Entrant:
    """Return a limit, whose answer nobody needs."""

    def check(run: Run) -> None:
        run()

    return Entrant(name, start, check, bytes, operations)


@dataclass(frozen=True)
class Contest:
    """Who is timed in turn on one input, and what all of them work on, which it keeps."""

    job: object
    ours: Sequence[Entrant]
    limits: Sequence[Entrant]
    rivals: Sequence[Entrant]

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        """All of them."""
        return (*self.ours, *self.limits, *self.rivals)


def reason(error: BaseException) -> str:
    """Return what an error says, in a line of bounded length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]


def seconds_left(until: float) -> float:
    """Return how long it is until then, by the monotonic clock."""
    return until - monotonic()
