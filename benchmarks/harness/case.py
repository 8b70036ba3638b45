"""What a case is: work on one input, measured on a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from benchmarks.harness.device import Device
from benchmarks.harness.rival import NotHereError, Rival, RivalError

# Characters of an error's message that are kept.
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Setting:
    """On which device cases are measured, how often, and who takes part.

    Minifloat's `backends` do where cases are of its operators. A strict setting raises the first
    error instead of going on with the rest.
    """

    device: Device
    rounds: int
    backends: tuple[str, ...] = ()
    rivals: Sequence[Rival[Any]] = ()
    strict: bool = False


@dataclass
class Outcome:
    """What a case found, what failed in it and what was left out, by name with the reason."""

    found: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


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

    @contextmanager
    def attempt(self, what: str, setting: Setting, outcome: Outcome) -> Iterator[None]:
        """Put an error into the outcome, by the name of what is tried, and let the device recover.

        A strict setting raises it, and says who gave another answer.
        """
        try:
            yield
        except NotHereError as error:
            outcome.left_out[what] = str(error)
        except Exception as error:
            if not setting.strict:
                outcome.failures[what] = reason(error)
                setting.device.recover(f"{what}: {reason(error)}")
            elif isinstance(error, RivalError):
                message = f"{what} gives another answer for {self}: {error}"
                raise RivalError(message) from error
            else:
                raise

    def __str__(self) -> str:
        """Return the case in words."""
        inputs = (
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in self.inputs.items()
        )
        return ", ".join((self.op, *inputs))


def reason(error: BaseException) -> str:
    """Return what an error says, in a line of bounded length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]


def seconds_left(until: float) -> float:
    """Return how long it is until then, by the monotonic clock."""
    return until - monotonic()
